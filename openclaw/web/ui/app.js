// The page: joins the gateway, the conversation and the controls.

import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Credentials } from "./credentials.js";
import { Gateway, RequestRefused, uuid } from "./gateway.js";
import { NoIdentity, loadIdentity } from "./identity.js";
import { textOf } from "./messages.js";
import { element } from "./text.js";

const FIRST_HISTORY = 200;
// The most that the gateway gives.
const WHOLE_HISTORY = 1000;
const RESTARTING = 1012;
const SILENT = 4000;

const at = (id) => document.getElementById(id);
const [statusLine, notice, access, secret, stopButton, latestButton] = [
  "status", "notice", "access", "secret", "stop", "latest",
].map(at);

const credentials = new Credentials();
const conversation = new Conversation(at("log"), at("announcer"), (following) => (latestButton.hidden = following));
const composer = new Composer(at("composer"), at("message"), at("send"), { send });
const wantedSession = new URLSearchParams(location.search).get("session");

let gateway;
let identityProblem = null;
let defaults = { mainKey: "main", mainSessionKey: "main" };
let sessionKey = wantedSession ?? "main";
const lost = new Map(); // messages that have arrived or not, nobody told us: text to run
let asked = "token";
let restarting = false;
let wasConnected = false;
let countdown = null;
let historyWanted = 0;
let historyLimit = FIRST_HISTORY;

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
  composer.enable(Boolean(gateway?.connected));
}

// Connection.

function onState(state, facts = {}) {
  const connected = state === "connected";
  if (!connected) conversation.interrupt();
  // Not each attempt: a status that changes every second is no pleasure to hear.
  if (connected !== wasConnected) conversation.announce(connected ? "Connected." : "The connection is lost.");
  wasConnected = connected;
  if (state === "connecting") say(state, "Connecting…");
  else access.hidden = state !== "refused" || !facts.asks;
  at("composer").hidden = !access.hidden;
  if (connected) {
    restarting = false;
    say(state, "Connected");
    tell(null);
    if (document.activeElement === document.body || access.contains(document.activeElement)) composer.focus();
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
  const lead = restarting || code === RESTARTING ? "Restarting" : navigator.onLine ? "Not connected" : "Offline";
  const count = () => {
    const seconds = Math.max(1, Math.round((until - Date.now()) / 1000));
    statusLine.textContent = `${lead}, retry in ${seconds} s`;
  };
  say("waiting", "");
  count();
  countdown = setInterval(count, 1000);
  if (reason && code !== RESTARTING && code !== SILENT) tell(`The gateway closed the connection: ${reason}`);
}

function refuse({ asks, kind, message: words, retryAfterMs }) {
  say("refused", "Not connected");
  if (!asks) {
    tell(identityProblem ?? `The gateway refused this page: ${words}. Reload the page, it may be older than the gateway.`);
    return;
  }
  tell(identityProblem);
  // A gateway that has had enough wrong ones does not say any more which it wants.
  if (!retryAfterMs) asked = asks;
  at("access-title").textContent = `The gateway asks for its ${asked}`;
  at("secret-label").textContent = `Gateway ${asked}`;
  const wait = retryAfterMs ? ` There were too many wrong ones; try again in ${Math.ceil(retryAfterMs / 60_000)} min.` : "";
  at("access-reason").textContent = kind === "none" ? "" : `The ${kind === "password" ? kind : "token"} was refused.${wait}`;
  secret.ariaInvalid = kind === "none" ? null : "true";
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
    conversation.rename(name);
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
    const { messages } = await gateway.request("chat.history", { sessionKey, limit: historyLimit });
    if (mine !== historyWanted) return;
    const before = messages.length < historyLimit ? null : earlier();
    for (const text of conversation.replace(messages, { before })) {
      lost.delete(text);
      composer.arrived(text);
    }
  } catch (error) {
    if (error instanceof RequestRefused) tell(`The history cannot be read: ${error.message}`);
  }
}

/** What stands before the oldest message that is shown. */
function earlier() {
  if (historyLimit === WHOLE_HISTORY) return element("p", { className: "empty" }, "What came before is not shown here.");
  const button = element("button", { type: "button", className: "small" }, "Show earlier messages");
  button.addEventListener("click", async () => {
    historyLimit = WHOLE_HISTORY;
    const fromEnd = at("log").scrollHeight - at("log").scrollTop;
    await loadHistory();
    at("log").scrollTop = at("log").scrollHeight - fromEnd;
    at("log").focus();
  });
  return element("p", { className: "empty" }, button);
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

async function send(text) {
  if (!gateway?.connected) {
    tell("Not connected. The message stays here; send it when the connection is back.");
    return;
  }
  // The same text after a lost answer keeps its key, so that the gateway takes it once.
  const runId = lost.get(text) ?? uuid();
  const again = lost.delete(text);
  conversation.unsend(runId);
  conversation.send(runId, text, Date.now() + gateway.clockAheadMs, sessionKey);
  composer.sending(text);
  refreshControls();
  try {
    const { status } = await gateway.request("chat.send", { sessionKey, message: text, idempotencyKey: runId });
    tell(null);
    composer.arrived(text);
    if (status !== "started" && status !== "in_flight") conversation.withoutRun(runId);
    if (again) void loadHistory();
  } catch (error) {
    if (error instanceof RequestRefused) {
      conversation.unsend(runId);
    } else {
      conversation.doubt(runId);
      lost.set(text, runId);
    }
    composer.failed(text);
    tell(`Not sent: ${error.message} The message is still in the field.`);
  }
  refreshControls();
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

// Controls.

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && conversation.busy) {
    event.preventDefault();
    void stop();
  }
});
stopButton.addEventListener("click", () => {
  composer.focus();
  void stop();
});
latestButton.addEventListener("click", () => {
  conversation.toEnd();
  composer.focus();
});
access.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = secret.value.trim();
  if (!given) return;
  credentials.give(asked, given);
  secret.value = "";
  gateway.connect();
});
// An address with a token, pasted where the page is open already, changes only the fragment.
addEventListener("hashchange", () => /[#&](token|password)=/.test(location.hash) && location.reload());
addEventListener("online", () => gateway?.wake());
addEventListener("pageshow", ({ persisted }) => persisted && gateway?.wake());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") gateway?.wake();
});

async function start() {
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
