// A surface on the page. Messages build it anew; what a person types changes only what shows the same data.

import { sendAction } from "./bridge.js";
import { get, items, join, segments, set, toJson } from "./data.js";
import { DISPLAY } from "./display.js";
import { INPUTS } from "./inputs.js";

const COMPONENTS = new Map([...Object.entries(DISPLAY), ...Object.entries(INPUTS)]);
const LITERALS = ["literalString", "literalNumber", "literalBoolean", "literalArray", "literal"];

/** More parts than this on one surface are a mistake. */
const MOST_PARTS = 5000;

/** One component in one place; what components are given to build themselves. */
class Part {
  constructor(view, component, context, ancestors) {
    this.view = view;
    this.component = component;
    this.context = context;
    this.ancestors = ancestors;
    /** The same over renderings, so that focus and state stay. */
    this.key = `${component.id}@${context}`;
  }

  #path(bound) {
    return segments(bound.path, this.context);
  }

  /** The value of a property: a literal, or what is in the data. */
  read(bound) {
    if (bound === null || typeof bound !== "object") return bound;
    const name = LITERALS.find((literal) => literal in bound);
    if (typeof bound.path !== "string") return name && this.#kept(bound, bound[name]);
    const path = this.#path(bound);
    if (name) this.#bring(path, bound[name]);
    return get(this.view.surface.data, path);
  }

  /** Path and literal at once: the literal is the first value of the path. */
  #bring(path, literal) {
    const { brought } = this.view.surface;
    const where = `${this.key} ${join(path)}`;
    const text = JSON.stringify(literal);
    if (brought.get(where) === text) return;
    brought.set(where, text);
    this.view.surface.data = set(this.view.surface.data, path, literal);
  }

  /** What was typed where there is no data for it stands until the literal changes. */
  #kept(bound, literal) {
    const kept = this.state("typed");
    return kept && kept.instead === JSON.stringify(literal) ? kept.value : literal;
  }

  /** Put in what a person typed or chose. */
  write(bound, value) {
    if (bound && typeof bound === "object" && typeof bound.path === "string") {
      this.view.surface.data = set(this.view.surface.data, this.#path(bound), value);
      this.view.refresh();
      return;
    }
    const name = LITERALS.find((literal) => bound && literal in bound);
    this.setState("typed", { instead: JSON.stringify(name && bound[name]), value });
  }

  /** Have something follow a property, now and whenever data changes. */
  bind(bound, apply) {
    this.view.bind(() => this.read(bound), apply);
  }

  /** The text of a property. */
  text(bound, apply) {
    this.bind(bound, (value) => apply(value === undefined || value === null ? "" : String(value)));
  }

  child(id) {
    return this.view.part(id, this.context, this.ancestors);
  }

  /** The children of a container: named ones, or one for each item of a list in the data. */
  children(spec) {
    if (Array.isArray(spec?.explicitList)) return spec.explicitList.map((id) => this.child(id)).filter(Boolean);
    const { componentId, dataBinding } = spec?.template ?? {};
    if (typeof componentId !== "string" || typeof dataBinding !== "string") return [];
    const path = segments(dataBinding, this.context);
    return items(get(this.view.surface.data, path))
      .map(([key]) => this.view.part(componentId, join([...path, key]), this.ancestors))
      .filter(Boolean);
  }

  state(name) {
    return this.view.surface.state.get(`${this.key} ${name}`);
  }

  setState(name, value) {
    this.view.surface.state.set(`${this.key} ${name}`, value);
  }

  /** Build the surface anew, after a change of state. */
  again() {
    this.view.render();
  }

  /** Tell the app what a person did. */
  act(action) {
    if (typeof action?.name !== "string") return;
    const entries = Array.isArray(action.context) ? action.context.filter((entry) => typeof entry?.key === "string") : [];
    const context = Object.fromEntries(
      entries.map(({ key, value }) => [key, toJson(this.read(value))]).filter(([, value]) => value !== undefined),
    );
    sendAction({
      name: action.name,
      surfaceId: this.view.surface.id,
      sourceComponentId: this.component.id,
      ...(entries.length ? { context } : {}),
    });
  }
}

export class View {
  #bindings = [];
  #parts = 0;

  constructor(surface) {
    this.surface = surface;
    this.element = document.createElement("section");
    this.element.className = "surface";
    this.element.dataset.surface = surface.id;
  }

  /** Build all of it. */
  render() {
    const focused = this.#focused();
    this.#bindings = [];
    this.#parts = 0;
    this.#style(this.surface.styles);
    const root = this.surface.root === null ? null : this.part(this.surface.root, "/", []);
    this.element.replaceChildren(...(root ? [root] : []));
    for (const dialog of this.element.querySelectorAll("dialog[data-open]")) if (!dialog.open) dialog.showModal();
    this.#refocus(focused);
  }

  #style({ primaryColor, font }) {
    const { style } = this.element;
    if (typeof primaryColor === "string" && CSS.supports("color", primaryColor)) style.setProperty("--primary", primaryColor);
    else style.removeProperty("--primary");
    style.fontFamily = typeof font === "string" ? font : "";
  }

  /** The element of a component, or null: it may come later. */
  part(id, context, ancestors) {
    const component = this.surface.components.get(id);
    if (!component) return null;
    const part = new Part(this, component, context, [...ancestors, `${id}@${context}`]);
    if (ancestors.includes(part.key) || ++this.#parts > MOST_PARTS) {
      console.warn(`A2UI: ${id} contains itself, or there is too much of it`);
      return null;
    }
    const build = COMPONENTS.get(component.type);
    const element = build ? build(component.properties, part) : unknown(component.type);
    element.dataset.component = id;
    if (typeof component.weight === "number") element.style.flex = `${component.weight} 1 0`;
    return element;
  }

  bind(read, apply) {
    const value = read();
    this.#bindings.push({ read, apply, last: fingerprint(value) });
    apply(value);
  }

  /** Let everything that shows data show it as it is now. */
  refresh() {
    for (const binding of this.#bindings) {
      const value = binding.read();
      const now = fingerprint(value);
      if (now === binding.last) continue;
      binding.last = now;
      binding.apply(value);
    }
  }

  #focused() {
    const element = document.activeElement;
    if (!element?.dataset.key || !this.element.contains(element)) return null;
    return { key: element.dataset.key, start: element.selectionStart, end: element.selectionEnd };
  }

  #refocus(focused) {
    if (!focused) return;
    const element = this.element.querySelector(`[data-key="${CSS.escape(focused.key)}"]`);
    element?.focus();
    if (typeof focused.start === "number") element?.setSelectionRange?.(focused.start, focused.end);
  }
}

function fingerprint(value) {
  return JSON.stringify(toJson(value)) ?? "";
}

function unknown(type) {
  const element = document.createElement("span");
  element.className = "unknown";
  element.textContent = type;
  return element;
}
