// The page's own side of the contract with the apps: what they call, and what they find.

import { Surfaces } from "./surfaces.js";
import { View } from "./view.js";

const surfaces = new Surfaces();

/** All surfaces that have begun, one below the other. */
class Host extends HTMLElement {
  #views = new Map();

  connectedCallback() {
    this.show();
  }

  show() {
    const begun = surfaces.all().filter((surface) => surface.root !== null);
    const views = new Map();
    for (const surface of begun) {
      const known = this.#views.get(surface.id);
      views.set(surface.id, known?.surface === surface ? known : new View(surface));
    }
    const elements = [...views.values()].map((view) => view.element);
    // What stays where it is keeps its focus.
    if (elements.length !== this.children.length || elements.some((element, index) => element !== this.children[index])) {
      this.replaceChildren(...elements);
    }
    this.#views = views;
    for (const view of views.values()) view.render();
    this.toggleAttribute("data-empty", !begun.length);
  }
}

customElements.define("openclaw-a2ui-host", Host);

function show() {
  document.querySelector("openclaw-a2ui-host")?.show();
}

globalThis.openclawA2UI = {
  applyMessages(messages) {
    try {
      surfaces.apply(messages);
    } finally {
      show();
    }
    return { ok: true, surfaces: surfaces.ids() };
  },
  reset() {
    surfaces.reset();
    show();
    return { ok: true };
  },
  getSurfaces() {
    return surfaces.ids();
  },
};

const canvas = document.getElementById("openclaw-canvas");
const card = document.getElementById("openclaw-status");
const query = new URLSearchParams(location.search);
const isOn = (name) => ["1", "true", "yes", "on"].includes((query.get(name) ?? "").trim().toLowerCase());
let debugging = isOn("debugStatus") || isOn("debug");

function showStatus() {
  card.hidden = !debugging;
}

function fit() {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.floor(innerWidth * ratio));
  canvas.height = Math.max(1, Math.floor(innerHeight * ratio));
}

globalThis.__openclaw = {
  canvas,
  ctx: canvas.getContext("2d"),
  setStatus(title, subtitle) {
    card.querySelector("strong").textContent = title ?? "";
    card.querySelector("span").textContent = subtitle ?? "";
    showStatus();
  },
  setDebugStatusEnabled(enabled) {
    debugging = Boolean(enabled);
    showStatus();
  },
};

const platform = (query.get("platform") ?? "").trim().toLowerCase();
if (/^[a-z0-9._-]{1,40}$/.test(platform)) document.documentElement.dataset.platform = platform;
addEventListener("resize", fit);
fit();
globalThis.__openclaw.setStatus("Ready", "Waiting for the agent");
