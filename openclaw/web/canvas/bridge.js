// What every page of the canvas can call to act on the app around it, and live reload. Put into pages as they are sent.
(() => {
  "use strict";
  const known = globalThis.OpenClaw;
  const bridge = known && (typeof known === "object" || typeof known === "function") ? known : (globalThis.OpenClaw = {});

  /** Hand something to the app around the page. Tells whether there is one; never throws. */
  function postMessage(payload) {
    try {
      const text = typeof payload === "string" ? payload : JSON.stringify(payload);
      const webkit = globalThis.webkit?.messageHandlers?.openclawCanvasA2UIAction;
      const app = webkit && typeof webkit.postMessage === "function" ? webkit : globalThis.openclawCanvasA2UIAction;
      if (!app || typeof app.postMessage !== "function") return false;
      // As a method of the object: Android's bridges refuse anything else.
      app.postMessage(text);
      return true;
    } catch {
      return false;
    }
  }

  /** randomUUID is missing where the page did not come over TLS. */
  function randomId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]].map(([from, to]) => hex.slice(from, to)).join("-");
  }

  function sendUserAction(action) {
    const given = typeof action?.id === "string" ? action.id.trim() : "";
    return postMessage({ userAction: { ...action, id: given || randomId() } });
  }

  bridge.postMessage = postMessage;
  bridge.sendUserAction = sendUserAction;
  globalThis.openclawPostMessage = postMessage;
  globalThis.openclawSendUserAction = sendUserAction;

  try {
    // Whatever stands before our own path (a capability, a proxy's prefix) stands before the socket too.
    const before = location.pathname.match(/^(.*?)\/__openclaw__\/(?:canvas|a2ui)(?:\/|$)/)?.[1] ?? "";
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${before}/__openclaw__/ws`);
    socket.addEventListener("message", (event) => {
      if (event.data === "reload") location.reload();
    });
  } catch {
    // No live reload; the page is the same.
  }
})();
