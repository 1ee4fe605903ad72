// What A2UI v0.8 messages say: surfaces, their components and their data.

import { fromContents, segments, set } from "./data.js";

const MAIN = "main";

class Surface {
  root = null;
  components = new Map();
  data = new Map();
  styles = {};
  /** What people did that is not in the data: the tab that is shown, a dialog that is open. */
  state = new Map();
  /** Values that components brought along for the data, by where. */
  brought = new Map();

  constructor(id) {
    this.id = id;
  }
}

export class Surfaces {
  #known = new Map();

  /** The surfaces, in the order in which they were first named. */
  all() {
    return [...this.#known.values()];
  }

  ids() {
    return [...this.#known.keys()];
  }

  reset() {
    this.#known.clear();
  }

  /** Do what messages say, in their order. What is no message, or one of another version, is passed over. */
  apply(messages) {
    if (!Array.isArray(messages)) throw new TypeError("A2UI: an array of messages is expected");
    for (const message of messages) {
      const kind = Object.keys(KINDS).find((name) => message?.[name] && typeof message[name] === "object");
      if (!kind) {
        console.warn("A2UI: not a message of v0.8:", message);
        continue;
      }
      const body = message[kind];
      KINDS[kind].call(this, typeof body.surfaceId === "string" && body.surfaceId ? body.surfaceId : MAIN, body);
    }
  }

  _surface(id) {
    let surface = this.#known.get(id);
    if (!surface) this.#known.set(id, (surface = new Surface(id)));
    return surface;
  }

  _delete(id) {
    this.#known.delete(id);
  }
}

const KINDS = {
  beginRendering(id, { root, styles }) {
    const surface = this._surface(id);
    if (typeof root === "string") surface.root = root;
    surface.styles = styles && typeof styles === "object" ? styles : {};
  },

  surfaceUpdate(id, { components }) {
    const surface = this._surface(id);
    for (const one of Array.isArray(components) ? components : []) {
      const [type, properties] = Object.entries(one?.component ?? {})[0] ?? [];
      if (typeof one?.id !== "string" || !type) continue;
      surface.components.set(one.id, { id: one.id, type, properties: properties ?? {}, weight: one.weight });
    }
  },

  dataModelUpdate(id, { path, contents }) {
    const surface = this._surface(id);
    const value = fromContents(contents ?? []);
    const root = set(surface.data, segments(typeof path === "string" ? path : "/"), value);
    surface.data = root instanceof Map ? root : new Map();
  },

  deleteSurface(id) {
    this._delete(id);
  },
};
