// The way from the page to the app around it, and what the app says of it.

const SHOWN_MS = 2500;
let timer = null;

/** Say something for a moment; without a limit until something else is said. */
function toast(text, kind, limit = SHOWN_MS) {
  const element = document.getElementById("openclaw-toast");
  clearTimeout(timer);
  element.textContent = text;
  element.dataset.kind = kind;
  element.hidden = false;
  if (limit) timer = setTimeout(() => (element.hidden = true), limit);
}

/** randomUUID is missing where the page did not come over TLS. */
function randomId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Hand an action to the app. iOS takes objects, Android text. */
function post(message) {
  const webkit = globalThis.webkit?.messageHandlers?.openclawCanvasA2UIAction;
  if (typeof webkit?.postMessage === "function") {
    webkit.postMessage(message);
    return true;
  }
  const android = globalThis.openclawCanvasA2UIAction;
  if (typeof android?.postMessage === "function") {
    android.postMessage(JSON.stringify(message));
    return true;
  }
  return false;
}

/** What a person did. */
export function sendAction(action) {
  const userAction = { id: randomId(), ...action, timestamp: new Date().toISOString() };
  globalThis.__openclawLastA2UIAction = userAction;
  let sent = false;
  try {
    sent = post({ userAction });
  } catch (error) {
    console.warn("The app did not take an action:", error);
  }
  if (sent) toast(`${action.name}…`, "pending", 0);
  else toast("No app is listening", "error");
}

addEventListener("openclaw:a2ui-action-status", (event) => {
  const { id, ok, error } = event.detail ?? {};
  if (id && id !== globalThis.__openclawLastA2UIAction?.id) return;
  if (ok) toast("Sent", "ok");
  else toast(`Not sent${error ? `: ${error}` : ""}`, "error");
});
