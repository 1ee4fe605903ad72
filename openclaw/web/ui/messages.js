// The parts of one message on the screen.

import { element } from "./text.js";

const IMAGES = /^image\/(png|jpeg|gif|webp)$/;
const BASE64 = /^[A-Za-z0-9+/=]+$/;

/** The text blocks of a message, which may be a plain string. */
export function textOf(message) {
  const content = message?.content;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .filter((block) => block?.type === "text" && typeof block.text === "string")
    .map((block) => block.text)
    .join("\n\n");
}

/** A message without its text; `at` is in milliseconds, `null` if it is not known. */
export function messageNode(kind, who, at = Date.now()) {
  const speaker = element("p", { className: "who" }, element("bdi", {}, who));
  if (Number.isFinite(at)) speaker.append(" ", timeOf(at));
  return element("article", { className: `message ${kind}` }, speaker, element("div", { className: "body" }));
}

function timeOf(at) {
  const when = new Date(at);
  const today = when.toDateString() === new Date().toDateString();
  const clock = { hour: "numeric", minute: "2-digit" };
  const short = today ? when.toLocaleTimeString([], clock) : when.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return element("time", { dateTime: when.toISOString(), title: when.toLocaleString(), dir: "auto" }, short);
}

/** A line below a message: `kind` is error or aborted. */
export function note(kind, words) {
  return element("p", { className: `note ${kind}`, dir: "auto" }, words);
}

/** What is not text: pictures and calls of tools. */
export function extras(message) {
  const content = Array.isArray(message.content) ? message.content : [];
  return content.flatMap((block) => extra(block) ?? []);
}

function extra(block) {
  if (block?.type === "toolCall") return element("p", { className: "tool", dir: "auto" }, `Used ${block.name}`);
  if (block?.type === "image" && IMAGES.test(block.mimeType) && BASE64.test(block.data ?? "")) {
    return element("img", { src: `data:${block.mimeType};base64,${block.data}`, alt: "Attached picture" });
  }
  return null;
}

/** What a tool answered, to be opened. */
export function toolResult(message) {
  const words = message.isError ? `${message.toolName} failed` : `Result of ${message.toolName}`;
  const text = element("pre", { dir: "auto" }, textOf(message));
  return element("details", { className: "message result" }, element("summary", {}, words), text);
}
