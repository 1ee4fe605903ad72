// The conversation on the screen: the history as the gateway has it, what was sent since, and answers under way.

import { element, show } from "./text.js";

// Closer to the end than this, the log follows what is added.
const NEAR_END_PX = 80;
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

export class Conversation {
  constructor(log, spoken) {
    this.log = log;
    this.spoken = spoken;
    this.assistant = "Assistant";
    this.userTexts = [];
    this.sent = new Map(); // what we sent, by run, until the history shows it: {text, at, seen, node, done}
    this.runs = new Map(); // answers under way, by run: {sessionKey, node, body, text, own, split}
    this.atEnd = true;
    log.addEventListener("scroll", () => {
      this.atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    });
    // The field below grows and shrinks, and a keyboard comes and goes.
    new ResizeObserver(() => this.#following(() => {})).observe(log);
  }

  get busy() {
    return this.runs.size > 0;
  }

  /** Show the history in place of what was there. Messages that it will have yet, and answers under way, stay. */
  replace(messages) {
    this.log.setAttribute("aria-busy", "true");
    this.#following(() => {
      this.userTexts = messages.filter((message) => message.role === "user").map(textOf);
      for (const [runId, { text, seen, done }] of this.sent) {
        if (done || this.count(text) > seen) this.sent.delete(runId);
      }
      const items = messages.flatMap((message) => {
        const node = this.#historic(message);
        return node ? [{ at: message.timestamp ?? 0, node }] : [];
      });
      for (const { at, node } of this.sent.values()) {
        let place = items.length;
        while (place > 0 && items[place - 1].at > at) place -= 1;
        items.splice(place, 0, { at, node });
      }
      const underWay = [...this.runs.values()].map((run) => run.node);
      this.log.replaceChildren(...items.map((item) => item.node), ...underWay);
      if (!this.log.childElementCount) this.log.append(element("p", { className: "empty" }, "Nothing said yet."));
    });
    this.log.removeAttribute("aria-busy");
  }

  /** Show what is being sent, and that an answer is expected. */
  send(runId, text, at, sessionKey) {
    const node = this.#message("user", "You");
    show(node.querySelector(".body"), text);
    this.sent.set(runId, { text, at, seen: this.count(text), node, done: false });
    this.atEnd = true;
    this.#append(node);
    this.#run(runId, sessionKey, true);
  }

  /** How often the history has this text as the user's. */
  count(text) {
    return this.userTexts.filter((other) => other.trim() === text.trim()).length;
  }

  /** Take back what could not be sent. */
  unsend(runId) {
    this.sent.get(runId)?.node.remove();
    this.sent.delete(runId);
    this.#end(runId)?.node.remove();
  }

  /** An answer grows; says whether its run was unknown. */
  grow(runId, sessionKey, text) {
    const unknown = !this.runs.has(runId);
    const run = this.#run(runId, sessionKey, false);
    if (!text.startsWith(run.text)) run.split = true;
    run.text = text;
    this.#following(() => {
      run.node.classList.remove("waiting");
      show(run.body, text);
    });
    return unknown;
  }

  /** Say what an answer is doing before it says something. */
  activity(runId, doing) {
    const run = this.runs.get(runId);
    if (run?.node.classList.contains("waiting")) run.body.querySelector(".doing").textContent = doing;
  }

  /** An answer is complete; says whether the screen has all of it. */
  finish(runId, text) {
    const run = this.#end(runId);
    if (!run) return false;
    if (!text) {
      // The message waits its turn behind a run, and is in the history only when that comes.
      run.node.remove();
      return false;
    }
    this.#done(runId);
    this.#following(() => show(run.body, text));
    this.speak(`${this.assistant}: ${text}`);
    return run.own && !run.split;
  }

  /** An answer ends early: `kind` is error or aborted. */
  stop(runId, kind, words) {
    const run = this.#end(runId);
    this.#done(runId);
    const node = run?.node ?? this.#message("assistant", this.assistant);
    this.#following(() => {
      if (!run?.text) node.querySelector(".body").replaceChildren();
      node.append(note(kind, words));
      if (!run) this.#append(node);
    });
    this.speak(words);
  }

  /** A message that got no run, such as a command to stop. */
  withoutRun(runId) {
    this.#end(runId)?.node.remove();
    this.#done(runId);
  }

  /** Forget the answers under way: the connection is gone, and the history will say what became of them. */
  interrupt() {
    for (const runId of [...this.runs.keys()]) {
      const { node, text } = this.#end(runId);
      if (!text) node.remove();
    }
  }

  speak(words) {
    this.spoken.textContent = words;
  }

  #done(runId) {
    const sent = this.sent.get(runId);
    if (sent) sent.done = true;
  }

  #run(runId, sessionKey, own) {
    let run = this.runs.get(runId);
    if (!run) {
      const node = this.#message("assistant waiting", this.assistant);
      const body = node.querySelector(".body");
      // The log is read aloud when something is added to it; a growing answer is spoken once, when it is complete.
      node.setAttribute("aria-live", "off");
      node.setAttribute("aria-busy", "true");
      body.append(element("p", { className: "doing" }, "…"));
      run = { sessionKey, node, body, text: "", own, split: false };
      this.runs.set(runId, run);
      this.#append(node);
    }
    return run;
  }

  #end(runId) {
    const run = this.runs.get(runId);
    this.runs.delete(runId);
    run?.node.classList.remove("waiting");
    run?.node.removeAttribute("aria-busy");
    return run;
  }

  #append(node) {
    this.#following(() => {
      this.log.querySelector(":scope > .empty")?.remove();
      this.log.append(node);
    });
  }

  /** Do something to the log, and stay at its end if we were there. */
  #following(work) {
    const follow = this.atEnd;
    work();
    if (follow) this.log.scrollTop = this.log.scrollHeight;
  }

  #message(kind, who) {
    const speaker = element("span", { className: "who" }, who);
    return element("article", { className: `message ${kind}` }, speaker, element("div", { className: "body" }));
  }

  #historic(message) {
    if (message.role === "toolResult") return toolResult(message);
    if (message.role !== "user" && message.role !== "assistant") return null;
    const user = message.role === "user";
    const node = this.#message(user ? "user" : "assistant", user ? "You" : this.assistant);
    const text = textOf(message);
    const blocks = Array.isArray(message.content) ? message.content : [];
    if (text) show(node.querySelector(".body"), text);
    node.append(...blocks.flatMap((block) => extra(block) ?? []));
    if (message.errorMessage) node.append(note("error", message.errorMessage));
    else if (message.stopReason === "aborted") node.append(note("aborted", "Stopped."));
    if (message.timestamp) node.title = new Date(message.timestamp).toLocaleString();
    return node.childElementCount > 2 || text ? node : null;
  }
}

function note(kind, words) {
  return element("p", { className: `note ${kind}`, dir: "auto" }, words);
}

/** What is not text: pictures and calls of tools. */
function extra(block) {
  if (block?.type === "toolCall") return element("p", { className: "tool" }, `Used ${block.name}`);
  if (block?.type === "image" && IMAGES.test(block.mimeType) && BASE64.test(block.data ?? "")) {
    return element("img", { src: `data:${block.mimeType};base64,${block.data}`, alt: "Attached picture" });
  }
  return null;
}

function toolResult(message) {
  const words = message.isError ? `${message.toolName} failed` : `Result of ${message.toolName}`;
  const text = element("pre", { dir: "auto" }, textOf(message));
  return element("details", { className: "message result" }, element("summary", {}, words), text);
}
