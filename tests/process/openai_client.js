// Speaks to a gateway with OpenAI's client and prints what came of it, as JSON.
// node openai_client.js <directory with node_modules> <base url> <key>
const { createRequire } = require("node:module");
const [home, baseURL, apiKey] = process.argv.slice(2);
const OpenAI = createRequire(`${home}/x.js`)("openai");

const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: {} } } }];
const flat = [{ type: "function", name: "get_weather", parameters: { type: "object", properties: {} }, strict: false }];
const messages = (content) => [{ role: "user", content }];

async function chat(client, told) {
  const whole = await client.chat.completions.create({ model: "openclaw", messages: messages("hello") });
  told.chat = whole.choices[0].message.content;
  const stream = await client.chat.completions.create({ model: "openclaw", messages: messages("hello"), stream: true });
  const pieces = [];
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta?.content ?? "");
  told.chatStream = pieces.join("");
  const helper = client.chat.completions.stream({ model: "openclaw", messages: messages("hello") });
  told.chatHelper = await helper.finalContent();
  const called = await client.chat.completions.create({ model: "openclaw", user: "js", messages: messages("call"), tools });
  told.chatCall = called.choices[0].message.tool_calls[0].function;
  const back = [
    ...messages("call"),
    called.choices[0].message,
    { role: "tool", tool_call_id: called.choices[0].message.tool_calls[0].id, content: "sunny" },
  ];
  const after = await client.chat.completions.create({ model: "openclaw", user: "js", messages: back, tools });
  told.chatAfter = after.choices[0].message.content;
}

async function responses(client, told) {
  told.response = (await client.responses.create({ model: "openclaw", input: messages("hello") })).output_text;
  const stream = client.responses.stream({ model: "openclaw", input: "hello" });
  const final = await stream.finalResponse();
  told.responseHelper = [final.status, final.output_text];
  const calling = client.responses.stream({ model: "openclaw", user: "js2", input: "call", tools: flat });
  const called = await calling.finalResponse();
  const call = called.output.find((item) => item.type === "function_call");
  told.responseCall = { name: call.name, arguments: call.arguments };
  const output = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
  const after = await client.responses.create({ model: "openclaw", user: "js2", input: [...called.output, output], tools: flat });
  told.responseAfter = after.output_text;
}

async function failures(client, told) {
  const wrong = new OpenAI({ baseURL, apiKey: "wrong" });
  told.wrong = await wrong.models.list().catch((error) => [error.constructor.name, error.status]);
  told.failed = await client.chat.completions
    .create({ model: "openclaw", messages: messages("fail") })
    .catch((error) => [error.constructor.name, error.status]);
}

async function main() {
  const client = new OpenAI({ baseURL, apiKey });
  const told = {};
  told.models = (await client.models.list()).data.map((model) => model.id);
  await chat(client, told);
  await responses(client, told);
  await failures(client, told);
  console.log(JSON.stringify(told));
}

main();
