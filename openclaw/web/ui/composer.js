// The field in which messages are written. What stands in it outlives a reload, until it has arrived.

const DRAFT = "openclaw.draft";
// A finger has no Shift, so there Enter begins a new line and the button sends.
const byFinger = matchMedia("(hover: none) and (pointer: coarse)");

export class Composer {
  /** `send(text)` is called with what is to be sent, which is never blank. */
  constructor(form, field, button, { send }) {
    this.field = field;
    this.button = button;
    this.onItsWay = []; // what has left the field and not arrived yet
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (field.value.trim()) send(field.value);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || byFinger.matches) return;
      event.preventDefault();
      form.requestSubmit();
    });
    field.addEventListener("input", () => this.#changed());
    if (byFinger.matches) field.enterKeyHint = "enter";
    try {
      field.value = sessionStorage.getItem(DRAFT) ?? "";
    } catch (error) {
      console.warn("The draft is not kept.", error);
    }
    this.#grow();
  }

  focus() {
    this.field.focus();
  }

  enable(on) {
    this.button.disabled = !on;
  }

  /** The text leaves the field, which is free for the next. */
  sending(text) {
    this.onItsWay.push(text);
    this.field.value = "";
    this.#changed();
  }

  /** The text did not arrive: it is back in the field, before what was written since. */
  failed(text) {
    this.#settle(text);
    this.field.value = this.field.value ? `${text}\n${this.field.value}` : text;
    this.#changed();
  }

  /** The text has arrived, perhaps after all, so it does not wait to be sent once more. */
  arrived(text) {
    this.#settle(text);
    const { value } = this.field;
    if (value === text || value.startsWith(`${text}\n`)) this.field.value = value.slice(text.length + 1);
    this.#changed();
  }

  #settle(text) {
    const place = this.onItsWay.indexOf(text);
    if (place >= 0) this.onItsWay.splice(place, 1);
  }

  #changed() {
    try {
      sessionStorage.setItem(DRAFT, [...this.onItsWay, this.field.value].filter(Boolean).join("\n"));
    } catch (error) {
      console.warn("The draft is not kept.", error);
    }
    this.#grow();
  }

  /** Let the field grow with its text; `field-sizing` does it by itself where it is known. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.rows = Math.min(10, this.field.value.split("\n").length);
  }
}
