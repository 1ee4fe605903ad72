// What opens the gateway: a token or password that was given to this page, and the device token that the gateway gave.
//
// A given token lives in sessionStorage, that is in this tab; a given password in memory only. The device token is in
// localStorage: it is of no use without this browser's key.

const PLACE = location.pathname.slice(0, location.pathname.lastIndexOf("/") + 1);
const GIVEN = `openclaw.token:${PLACE}`;
const DEVICE = `openclaw.device-token:${PLACE}`;

/** Storage may be switched off; then nothing outlives the page. */
function attempt(work) {
  try {
    return work();
  } catch (error) {
    console.warn("The browser keeps nothing for this page.", error);
    return null;
  }
}

/** Take token and password out of the address, so that they stay neither in the history nor on the screen. */
function fromAddress() {
  // A plus is a plus: tokens may be base64.
  const parameters = (text) => new URLSearchParams(text.slice(1).replaceAll("+", "%2B"));
  const query = parameters(location.search);
  const fragment = parameters(location.hash);
  const token = fragment.get("token") ?? query.get("token");
  const password = fragment.get("password") ?? query.get("password");
  const secrets = ["token", "password"];
  if (secrets.some((name) => query.has(name) || fragment.has(name))) {
    for (const name of secrets) {
      query.delete(name);
      fragment.delete(name);
    }
    const rest = (mark, left) => (left.toString() ? mark + left : "");
    history.replaceState(history.state, "", location.pathname + rest("?", query) + rest("#", fragment));
  }
  return { token: token?.trim() || null, password: password || null };
}

export class Credentials {
  constructor() {
    const { token, password } = fromAddress();
    // What was just given is tried before the device token, which may be older.
    this.fresh = Boolean(token || password);
    this.password = password;
    this.token = token ?? attempt(() => sessionStorage.getItem(GIVEN));
    if (token) attempt(() => sessionStorage.setItem(GIVEN, token));
    const kept = attempt(() => JSON.parse(localStorage.getItem(DEVICE) ?? "null"));
    this.device = typeof kept?.token === "string" && typeof kept.deviceId === "string" ? kept : null;
  }

  /** Take a secret from the form. */
  give(kind, secret) {
    this.fresh = true;
    if (kind === "password") {
      this.password = secret;
    } else {
      this.token = secret;
      attempt(() => sessionStorage.setItem(GIVEN, secret));
    }
  }

  /** What to try next: `{kind, auth}`; with nothing at hand, an empty one. */
  next(deviceId) {
    const given = [];
    if (this.password) given.push({ kind: "password", auth: { password: this.password } });
    if (this.token) given.push({ kind: "token", auth: { token: this.token } });
    const device = [];
    if (this.device && this.device.deviceId === deviceId) device.push({ kind: "device", auth: { token: this.device.token } });
    return (this.fresh ? [...given, ...device] : [...device, ...given])[0] ?? { kind: "none", auth: {} };
  }

  /** Forget what was refused; says whether there is something else to try. */
  refused(kind, deviceId) {
    if (kind === "device") {
      this.device = null;
      attempt(() => localStorage.removeItem(DEVICE));
    } else if (kind === "password") {
      this.password = null;
    } else if (kind === "token") {
      this.token = null;
      attempt(() => sessionStorage.removeItem(GIVEN));
    }
    return kind !== "none" && this.next(deviceId).kind !== "none";
  }

  /** Keep the device token of a hello. */
  accepted(deviceId, auth) {
    this.fresh = false;
    if (!deviceId || !auth?.deviceToken) return;
    this.device = { deviceId, token: auth.deviceToken };
    attempt(() => localStorage.setItem(DEVICE, JSON.stringify(this.device)));
  }
}
