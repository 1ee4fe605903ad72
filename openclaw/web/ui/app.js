// The page: joins the gateway, the conversation and the controls.

import { Conversation, textOf } from "./conversation.js";
import { Credentials } from "./credentials.js";
import { Gateway, RequestRefused, uuid } from "./gateway.js";
import { NoIdentity, loadIdentity } from "./identity.js";

const HISTORY_LIMIT = 200;
const DRAFT = "openclaw.draft";

const at = (id) => document.getElementById(id);
const [statusLine, notice, access, secret, composer, message, sendButton, stopButton] = [
  "status", "notice", "access", "secret", "composer", "message", "send", "stop",
].map(at);

const credentials = new Credentials();
const conversation = new Conversation(at("log"), at("spoken"));
const wantedSession = new URLSearchParams(location.search).get("session");

let gateway;
let identityProblem = null;
let defaults = { mainKey: "main", mainSessionKey: "main" };
let sessionKey = wantedSession ?? "main";
let draft = null; // {text, runId, seen, unsure}: what is on its way or may be
let asked = "token";
let restarting = false;
let countdown = null;
let historyWanted = 0;

function say(state, words) {
  clearInterval(countdown);
  statusLine.dataset.state = state;
  statusLine.textContent = words;
}

function tell(words) {
  notice.hidden = !words;
  notice.textContent = words ?? "";
}

function refreshControls() {
  stopButton.hidden = !conversation.busy;
  sendButton.disabled = !gateway?.connected || message.readOnly;
}

// Connection.

function onState(state, facts = {}) {
  if (state !== "connected") conversation.interrupt();
  access.hidden = state !== "refused" || !facts.asks;
  if (state === "connecting") say(state, "Connecting…");
  if (state === "connected") {
    restarting = false;
    say(state, "Connected");
    tell(null);
  }
  if (state === "waiting") waitFor(facts);
  if (state === "pairing") {
    say(state, "Waiting for approval");
    tell(`This browser is new to the gateway. Approve it there: openclaw devices approve ${facts.details?.requestId ?? ""}`);
  }
  if (state === "refused") refuse(facts);
  refreshControls();
}

function waitFor({ waitMs, code, reason }) {
  const until = Date.now() + waitMs;
  const lead = restarting || code === 1012 ? "The gateway restarts" : navigator.onLine ? "Not connected" : "Offline";
  const count = () => {
    const seconds = Math.max(1, Math.round((until - Date.now()) / 1000));
    statusLine.textContent = `${lead}, again in ${seconds} s`;
  };
  say("waiting", "");
  count();
  countdown = setInterval(count, 1000);
  if (reason && code !== 1012 && code !== 4000) tell(`The gateway closed the connection: ${reason}`);
}

function refuse({ asks, kind, message: words }) {
  say("refused", "Not connected");
  if (!asks) {
    tell(identityProblem ?? `The gateway refused this page: ${words}. Reload the page, it may be older than the gateway.`);
    return;
  }
  tell(identityProblem);
  asked = asks;
  const name = asks === "password" ? "password" : "token";
  at("access-title").textContent = `The gateway asks for its ${name}`;
  at("secret-label").textContent = `Gateway ${name}`;
  at("access-reason").textContent = kind === "none" ? "" : `The ${name} that this page had was refused.`;
  secret.value = "";
  secret.focus();
}

function onHello(hello) {
  defaults = hello.snapshot?.sessionDefaults ?? defaults;
  sessionKey = wantedSession ?? defaults.mainSessionKey;
  void loadHistory();
  if (hello.features?.methods?.includes("agent.identity.get")) void loadName();
}

async function loadName() {
  try {
    const { name } = await gateway.request("agent.identity.get", { sessionKey });
    if (!name) return;
    conversation.assistant = name;
    document.title = name === "Assistant" ? "OpenClaw" : `${name} – OpenClaw`;
    at("title").textContent = name === "Assistant" ? "OpenClaw" : name;
  } catch (error) {
    console.warn("The assistant's name is not known.", error);
  }
}

async function loadHistory() {
  historyWanted += 1;
  const mine = historyWanted;
  try {
    const { messages } = await gateway.request("chat.history", { sessionKey, limit: HISTORY_LIMIT });
    if (mine !== historyWanted) return;
    conversation.replace(messages);
    if (draft?.unsure) {
      if (conversation.count(draft.text) > draft.seen) settleDraft();
      else conversation.unsend(draft.runId);
    }
  } catch (error) {
    if (error instanceof RequestRefused) tell(`The history cannot be read: ${error.message}`);
  }
}

// Events.

/** Whether a run's session, by whatever name it was started, is the one on the screen. */
function isHere(key) {
  const whole = (name) => (name === "main" || name === defaults.mainKey ? defaults.mainSessionKey : name);
  return whole(key) === whole(sessionKey);
}

function onEvent(name, payload) {
  if (name === "shutdown") restarting = payload.restartExpectedMs != null;
  if (name === "chat" && isHere(payload.sessionKey)) onChat(payload);
  if (name === "agent" && payload.stream === "tool" && payload.data?.phase === "start") {
    conversation.activity(payload.runId, `Using ${payload.data.name}…`);
  }
}

function onChat({ runId, sessionKey: key, state, message: said, errorMessage, stopReason }) {
  if (state === "delta") {
    // Somebody else began this run; what they said is in the history.
    if (conversation.grow(runId, key, textOf(said))) void loadHistory();
  } else if (state === "final") {
    if (!conversation.finish(runId, textOf(said))) void loadHistory();
  } else if (state === "error") {
    conversation.stop(runId, "error", errorMessage ?? "The answer failed.");
  } else if (state === "aborted") {
    conversation.stop(runId, "aborted", stopReason === "timeout" ? "Stopped: it took too long." : "Stopped.");
  }
  refreshControls();
}

// Sending.

function keepDraft() {
  try {
    sessionStorage.setItem(DRAFT, message.value || draft?.text || "");
  } catch (error) {
    console.warn("The draft is not kept.", error);
  }
}

function restoreDraft() {
  try {
    message.value = sessionStorage.getItem(DRAFT) ?? "";
  } catch (error) {
    console.warn("The draft is not kept.", error);
  }
  grow();
}

/** The message has arrived: the field is free for the next. */
function settleDraft() {
  if (message.value === draft.text) message.value = "";
  draft = null;
  keepDraft();
  grow();
}

async function send() {
  const text = message.value;
  if (!text.trim() || message.readOnly) return;
  if (!gateway?.connected) {
    tell("Not connected. The message stays here; send it when the connection is back.");
    return;
  }
  // The same text after a lost answer keeps its key, so that the gateway takes it once.
  const again = draft?.unsure && draft.text === text;
  draft = { text, runId: again ? draft.runId : uuid(), seen: conversation.count(text), unsure: false };
  conversation.unsend(draft.runId);
  conversation.send(draft.runId, text, Date.now() + gateway.clockAheadMs, sessionKey);
  message.value = "";
  message.readOnly = true;
  grow();
  refreshControls();
  try {
    const params = { sessionKey, message: text, idempotencyKey: draft.runId };
    const { status } = await gateway.request("chat.send", params);
    tell(null);
    if (status !== "started" && status !== "in_flight") conversation.withoutRun(draft.runId);
    if (again) void loadHistory();
    settleDraft();
  } catch (error) {
    draft.unsure = !(error instanceof RequestRefused);
    if (!draft.unsure) conversation.unsend(draft.runId);
    message.value = text;
    tell(`Not sent: ${error.message} The message is still in the field.`);
  } finally {
    message.readOnly = false;
    keepDraft();
    grow();
    refreshControls();
  }
}

async function stop() {
  for (const [runId, run] of [...conversation.runs]) {
    try {
      const { aborted } = await gateway.request("chat.abort", { sessionKey: run.sessionKey, runId });
      if (!aborted) await loadHistory();
    } catch (error) {
      tell(`The answer could not be stopped: ${error.message}`);
    }
  }
}

/** Let the field grow with its text; `field-sizing` does it by itself where it is known. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  message.rows = Math.min(10, message.value.split("\n").length);
}

// Controls.

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  void send();
});
message.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    void send();
  }
});
message.addEventListener("input", () => {
  keepDraft();
  grow();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && conversation.busy) {
    event.preventDefault();
    void stop();
  }
});
stopButton.addEventListener("click", () => {
  message.focus();
  void stop();
});
access.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = secret.value.trim();
  if (!given) return;
  credentials.give(asked, given);
  secret.value = "";
  gateway.connect();
  message.focus();
});
addEventListener("online", () => gateway?.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") gateway?.hurry();
});

async function start() {
  restoreDraft();
  let identity = null;
  try {
    identity = await loadIdentity();
  } catch (error) {
    if (!(error instanceof NoIdentity)) throw error;
    identityProblem = error.message;
  }
  const place = location.pathname.slice(0, location.pathname.lastIndexOf("/") + 1);
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${place}`;
  gateway = new Gateway(address, identity, credentials, { onState, onHello, onEvent, onGap: () => void loadHistory() });
  gateway.connect();
}

start().catch((error) => {
  console.error(error);
  say("refused", "Not connected");
  tell(`This page cannot start: ${error.message}`);
});
