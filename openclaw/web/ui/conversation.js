// The conversation on the screen: the history as the gateway has it, what was sent since, and answers under way.

import { extras, messageNode, note, textOf, toolResult } from "./messages.js";
import { element, show, spoken } from "./text.js";

// Closer to the end than this, the log follows what is added.
const NEAR_END_PX = 80;
// After these the history is another one.
const NEW_SESSION = /^\s*\/(new|reset)\b/i;

export class Conversation {
  /** `log` holds the messages, `announcer` is read aloud; `onFollow(following)` is told when the end goes out of sight. */
  constructor(log, announcer, onFollow) {
    this.log = log;
    this.announcer = announcer;
    this.assistant = "Assistant";
    this.userTexts = [];
    this.historic = new Map(); // nodes of the history, by what they show
    this.sent = new Map(); // what we sent, by run, until the history shows it: {text, seen, node, done, doubted}
    this.runs = new Map(); // answers under way, by run: {sessionKey, node, body, text, own, split}
    this.onFollow = onFollow;
    this.atEnd = true;
    log.addEventListener("scroll", () => this.#look());
    // The field below grows and shrinks, a keyboard comes and goes, pictures get their size late.
    new ResizeObserver(() => this.#following(() => {})).observe(log);
    log.addEventListener("load", () => this.#following(() => {}), true);
  }

  get busy() {
    return this.runs.size > 0;
  }

  /**
   * Show the history in place of what was there. Messages that it will have yet, and answers under way, stay. Says which
   * doubted messages have arrived; those that have not are taken back.
   */
  replace(messages, { before = null } = {}) {
    const arrived = [];
    this.#following(() => {
      this.userTexts = messages.filter((message) => message.role === "user").map(textOf);
      for (const [runId, { text, seen, done, doubted }] of [...this.sent]) {
        const there = this.#count(text) > seen;
        if (there && doubted) arrived.push(text);
        if (there || done) this.sent.delete(runId);
        else if (doubted) this.unsend(runId);
      }
      const nodes = this.#historicNodes(messages);
      const under = (wanted) => [...this.runs].filter(([runId]) => wanted(runId)).map(([, run]) => run.node);
      // What the history does not have yet comes behind it, each message with its answer.
      nodes.push(...under((runId) => !this.sent.has(runId)));
      for (const [runId, { node }] of this.sent) nodes.push(node, ...under((other) => other === runId));
      this.#arrange(before ? [before, ...nodes] : nodes);
    });
    return arrived;
  }

  /** Show what is being sent, and that an answer is expected. */
  send(runId, text, at, sessionKey) {
    const node = messageNode("user", "You", at);
    show(node.querySelector(".body"), text, { plain: true });
    const same = [...this.sent.values()].filter((sent) => sent.text.trim() === text.trim()).length;
    this.sent.set(runId, { text, seen: this.#count(text) + same, node, done: false, doubted: false });
    this.toEnd();
    this.#append(node);
    this.#run(runId, sessionKey, !NEW_SESSION.test(text));
  }

  /** Nobody told us whether this message has arrived; the history will. */
  doubt(runId) {
    if (this.sent.has(runId)) this.sent.get(runId).doubted = true;
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
    this.announce(`${this.assistant}: ${spoken(run.body)}`);
    return run.own && !run.split;
  }

  /** An answer ends early: `kind` is error or aborted. */
  stop(runId, kind, words) {
    const run = this.#end(runId);
    this.#done(runId);
    const node = run?.node ?? messageNode("assistant", this.assistant);
    this.#following(() => {
      if (!run?.text) node.querySelector(".body").replaceChildren();
      node.append(note(kind, words));
      if (!run) this.#append(node);
    });
    this.announce(words);
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

  /** Have something read aloud, once; a new element is, also when it says the same as the one before. */
  announce(words) {
    this.announcer.replaceChildren(element("p", {}, words));
  }

  /** The assistant has a name. */
  rename(name) {
    this.assistant = name;
    for (const who of this.log.querySelectorAll(".assistant > .who > bdi")) who.textContent = name;
  }

  /** Go to the end, and follow it again. */
  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.#look();
  }

  /** Whether the end is in sight now. */
  #look() {
    this.atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END_PX;
    this.onFollow(this.atEnd);
  }

  /** How often the history has this text as the user's; the gateway may have put notes of its own before it. */
  #count(text) {
    const wanted = text.trim();
    return this.userTexts.filter((other) => other.trim() === wanted || other.trim().endsWith(`\n\n${wanted}`)).length;
  }

  #done(runId) {
    const sent = this.sent.get(runId);
    if (sent) sent.done = true;
  }

  #run(runId, sessionKey, own) {
    let run = this.runs.get(runId);
    if (!run) {
      const node = messageNode("assistant waiting", this.assistant);
      const body = node.querySelector(".body");
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
    if (follow) this.toEnd();
  }

  /** Make the log show these nodes; those that stay are not touched, so that a selection in them stays too. */
  #arrange(nodes) {
    if (!nodes.length) nodes.push(greeting());
    const stay = new Set(nodes);
    for (const node of [...this.log.children]) if (!stay.has(node)) node.remove();
    nodes.forEach((node, place) => {
      if (this.log.children[place] !== node) this.log.insertBefore(node, this.log.children[place] ?? null);
    });
  }

  /** What the history shows; the nodes of before are used again. */
  #historicNodes(messages) {
    const kept = new Map();
    for (const message of messages) {
      let key = JSON.stringify(message);
      while (kept.has(key)) key += "+";
      const node = this.historic.get(key) ?? this.#historic(message);
      kept.set(key, node);
    }
    this.historic = kept;
    return [...kept.values()].filter((node) => node !== null);
  }

  #historic(message) {
    if (message.role === "toolResult") return toolResult(message);
    if (message.role !== "user" && message.role !== "assistant") return null;
    const user = message.role === "user";
    const node = messageNode(user ? "user" : "assistant", user ? "You" : this.assistant, message.timestamp ?? null);
    const text = textOf(message);
    if (text) show(node.querySelector(".body"), text, { plain: user });
    node.append(...extras(message));
    if (message.errorMessage) node.append(note("error", message.errorMessage));
    else if (message.stopReason === "aborted") node.append(note("aborted", "Stopped."));
    return node.childElementCount > 2 || text ? node : null;
  }
}

function greeting() {
  const first = element("p", {}, "Nothing has been said yet.");
  const commands = element("p", {}, element("code", {}, "/help"), " shows the commands.");
  return element("div", { className: "empty" }, first, commands);
}
