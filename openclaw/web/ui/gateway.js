// The one WebSocket to the gateway: handshake, requests, events, and coming back after it was lost.

const PROTOCOL = 3;
const CLIENT = { id: "openclaw-control-ui", version: "1", mode: "webchat" };
const ROLE = "operator";
const SCOPES = ["operator.admin", "operator.approvals", "operator.pairing"];

const FIRST_WAIT_MS = 800;
const WAIT_FACTOR = 1.7;
const LONGEST_WAIT_MS = 15_000;
const PAIRING_WAIT_MS = 4_000;
const HELLO_LIMIT_MS = 12_000;
const REQUEST_LIMIT_MS = 30_000;
const ALIVE_LIMIT_MS = 4_000;
// So many ticks may be missing before the connection counts as dead.
const MISSED_TICKS = 2.5;

/** A UUID; `crypto.randomUUID` is missing outside secure contexts. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The gateway refused a request. `code` and `details` are the wire's. */
export class RequestRefused extends Error {
  constructor(error) {
    super(error?.message ?? "The gateway gave no reason.");
    this.code = error?.code;
    this.details = error?.details;
    this.retryAfterMs = error?.retryAfterMs;
  }
}

/** The connection was lost, or no answer came: the request may have been carried out, or not. */
export class AnswerLost extends Error {}

/**
 * Handlers: `onState(state, facts)` with the states connecting, connected, waiting, refused, pairing; `onHello(hello)`;
 * `onEvent(name, payload)`; `onGap()` when events were missed.
 */
export class Gateway {
  constructor(address, identity, credentials, handlers) {
    this.address = address;
    this.identity = identity;
    this.credentials = credentials;
    this.handlers = handlers;
    this.connected = false;
    this.clockAheadMs = 0;
    this.instanceId = uuid();
    this.waitMs = FIRST_WAIT_MS;
    this.pending = new Map();
    this.socket = null;
    this.timer = null;
  }

  /** Connect now, also when a later attempt was planned. */
  connect() {
    clearTimeout(this.timer);
    this.timer = null;
    this.#drop();
    this.handlers.onState("connecting");
    const socket = new WebSocket(this.address);
    this.socket = socket;
    this.lastSeq = null;
    this.#expect(HELLO_LIMIT_MS);
    socket.onmessage = ({ data }) => this.#received(socket, data);
    socket.onclose = ({ code, reason }) => socket === this.socket && this.#lost(code, reason);
  }

  /** The network is back, or the machine has slept: connect at once, or find out soon whether we still are. */
  wake() {
    if (!this.socket && this.timer) {
      this.connect();
    } else if (this.connected) {
      this.#expect(ALIVE_LIMIT_MS);
      this.request("last-heartbeat", {}).catch((error) => console.warn(error.message));
    }
  }

  /** Ask; the answer's payload, or RequestRefused, or AnswerLost. */
  request(method, params) {
    const id = uuid();
    return new Promise((resolve, reject) => {
      if (!this.connected) {
        reject(new AnswerLost("Not connected."));
        return;
      }
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(new AnswerLost("The gateway did not answer in time."));
      }, REQUEST_LIMIT_MS);
      this.pending.set(id, { resolve, reject, timer });
      this.#send({ type: "req", id, method, params });
    });
  }

  #send(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  /** Count the connection as lost when nothing arrives for so long. */
  #expect(limitMs) {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      this.#drop(4000, "tick timeout");
      this.#lost(4000, "tick timeout");
    }, limitMs);
  }

  #drop(code = 1000, reason = "") {
    const socket = this.socket;
    this.socket = null;
    this.connected = false;
    clearTimeout(this.watch);
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close(code, reason);
    }
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer);
      reject(new AnswerLost("The connection was lost."));
    }
    this.pending.clear();
  }

  #lost(code, reason) {
    this.#drop();
    this.#later({ code, reason });
  }

  /** Try again, each time later; not all clients of a gateway that restarts at the same moment. */
  #later(facts) {
    this.#again(this.waitMs * (1 + Math.random() / 4), "waiting", facts);
    this.waitMs = Math.min(this.waitMs * WAIT_FACTOR, LONGEST_WAIT_MS);
  }

  #again(waitMs, state, facts = {}) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), waitMs);
    this.handlers.onState(state, { ...facts, waitMs });
  }

  #received(socket, data) {
    if (socket !== this.socket) return;
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (this.connected) this.#expect(this.tickMs * MISSED_TICKS);
    if (frame.type === "event") this.#event(socket, frame);
    else if (frame.type === "res") this.#answered(frame);
  }

  #event(socket, { event, payload, seq }) {
    if (event === "connect.challenge") {
      this.#introduce(socket, payload).catch((error) => {
        console.error(error);
        if (socket === this.socket) this.#lost(4008, error.message);
      });
      return;
    }
    if (typeof seq === "number") {
      const missed = this.lastSeq !== null && seq > this.lastSeq + 1;
      this.lastSeq = seq;
      if (missed) this.handlers.onGap();
    }
    this.handlers.onEvent(event, payload);
  }

  #answered({ id, ok, payload, error }) {
    const waiting = this.pending.get(id);
    if (!waiting) return;
    this.pending.delete(id);
    clearTimeout(waiting.timer);
    if (ok) waiting.resolve(payload);
    else waiting.reject(new RequestRefused(error));
  }

  async #introduce(socket, { nonce, ts }) {
    this.clockAheadMs = ts - Date.now();
    const attempt = this.credentials.next(this.identity?.id);
    const client = { ...CLIENT, platform: navigator.platform || "web", instanceId: this.instanceId };
    const params = {
      minProtocol: PROTOCOL,
      maxProtocol: PROTOCOL,
      client,
      role: ROLE,
      scopes: SCOPES,
      caps: [],
      auth: attempt.auth,
      userAgent: navigator.userAgent,
      locale: navigator.language,
    };
    const token = attempt.auth.token ?? "";
    if (this.identity) {
      params.device = await this.identity.introduce({ client, role: ROLE, scopes: SCOPES, token, nonce, signedAt: ts });
    }
    if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) return;
    const id = uuid();
    const asked = new Promise((resolve, reject) => this.pending.set(id, { resolve, reject, timer: null }));
    this.#send({ type: "req", id, method: "connect", params });
    try {
      this.#welcome(await asked);
    } catch (error) {
      if (error instanceof RequestRefused) this.#refused(error, attempt.kind);
      else if (!(error instanceof AnswerLost)) throw error;
    }
  }

  #welcome(hello) {
    this.connected = true;
    this.waitMs = FIRST_WAIT_MS;
    this.tickMs = hello.policy.tickIntervalMs;
    this.#expect(this.tickMs * MISSED_TICKS);
    this.credentials.accepted(this.identity?.id, hello.auth);
    this.handlers.onState("connected");
    this.handlers.onHello(hello);
  }

  #refused(error, kind) {
    this.#drop(4008, "connect failed");
    const { message, details, retryAfterMs } = error;
    const facts = { message, kind, details, retryAfterMs };
    if (message === "pairing required") {
      this.#again(PAIRING_WAIT_MS, "pairing", facts);
    } else if (message.startsWith("unauthorized")) {
      if (this.credentials.refused(kind, this.identity?.id)) this.#again(0, "connecting");
      else this.handlers.onState("refused", { ...facts, asks: message.includes("password") ? "password" : "token" });
    } else if (!this.identity || message === "protocol mismatch") {
      this.handlers.onState("refused", { ...facts, asks: message === "device identity required" ? "token" : null });
    } else {
      this.#later({ reason: message });
    }
  }
}
