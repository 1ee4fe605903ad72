// The components that people act with. What they put in goes into the data, so that every other part sees it.

import { items } from "./data.js";
import { make } from "./display.js";

const FIELDS = { date: "date", number: "number", obscured: "password", shortText: "text" };

let labels = 0;

/** An input with its label. */
function labelled(className, input, part, label) {
  const element = make("div", className);
  const text = make("label");
  input.id = `input-${++labels}`;
  input.dataset.key = part.key;
  text.htmlFor = input.id;
  part.text(label, (value) => {
    text.textContent = value;
    text.hidden = !value;
  });
  element.append(text, input);
  return element;
}

/** Let an input show data, but never what it shows already: that would move the cursor. */
function follow(input, part, bound) {
  part.text(bound, (value) => {
    if (input.value !== value) input.value = value;
  });
}

function check(input, pattern) {
  if (typeof pattern !== "string") return;
  let good = true;
  try {
    good = !input.value || new RegExp(`^(?:${pattern})$`, "u").test(input.value);
  } catch {
    console.warn("A2UI: not a regular expression:", pattern);
  }
  input.setCustomValidity(good ? "" : "invalid");
  input.setAttribute("aria-invalid", String(!good));
}

export const INPUTS = {
  Button({ child, primary, action }, part) {
    const element = make("button", primary ? "primary" : "");
    element.type = "button";
    element.dataset.key = part.key;
    const content = part.child(child);
    if (content) element.append(content);
    element.addEventListener("click", () => part.act(action));
    return element;
  },

  CheckBox({ label, value }, part) {
    const input = make("input");
    input.type = "checkbox";
    part.bind(value, (now) => (input.checked = now === true));
    input.addEventListener("change", () => part.write(value, input.checked));
    return labelled("checkbox", input, part, label);
  },

  TextField({ label, text, textFieldType, type, validationRegexp }, part) {
    const kind = textFieldType ?? type;
    const input = make(kind === "longText" ? "textarea" : "input");
    if (kind !== "longText") input.type = FIELDS[kind] ?? "text";
    follow(input, part, text);
    check(input, validationRegexp);
    input.addEventListener("input", () => {
      check(input, validationRegexp);
      part.write(text, input.value);
    });
    return labelled("field", input, part, label);
  },

  DateTimeInput({ label, value, enableDate, enableTime }, part) {
    const input = make("input");
    input.type = enableTime ? (enableDate === false ? "time" : "datetime-local") : "date";
    follow(input, part, value);
    input.addEventListener("input", () => part.write(value, input.value));
    return labelled("field", input, part, label);
  },

  Slider({ label, value, minValue, maxValue }, part) {
    const input = make("input");
    input.type = "range";
    input.min = String(minValue ?? 0);
    input.max = String(maxValue ?? 100);
    input.step = "any";
    if (Number.isInteger(minValue ?? 0) && Number.isInteger(maxValue ?? 100)) input.step = "1";
    const shown = make("output");
    part.bind(value, (now) => {
      input.value = String(now ?? input.min);
      shown.textContent = input.value;
    });
    input.addEventListener("input", () => {
      shown.textContent = input.value;
      part.write(value, Number(input.value));
    });
    const element = labelled("field", input, part, label);
    element.append(shown);
    return element;
  },

  MultipleChoice({ selections, options, maxAllowedSelections }, part) {
    const element = make("fieldset", "choices");
    const single = maxAllowedSelections === 1;
    const name = `choice-${++labels}`;
    const inputs = [];
    for (const option of Array.isArray(options) ? options : []) {
      if (typeof option?.value !== "string") continue;
      const row = make("label");
      const text = make("span");
      const input = make("input");
      input.type = single ? "radio" : "checkbox";
      input.name = name;
      input.value = option.value;
      input.dataset.key = `${part.key} ${option.value}`;
      part.text(option.label, (value) => (text.textContent = value));
      input.addEventListener("change", () => part.write(selections, chosen()));
      inputs.push(input);
      row.append(input, text);
      element.append(row);
    }
    const chosen = () => inputs.filter((input) => input.checked).map((input) => input.value);
    const limit = () => {
      const full = !single && maxAllowedSelections > 0 && chosen().length >= maxAllowedSelections;
      for (const input of inputs) input.disabled = full && !input.checked;
    };
    part.bind(selections, (now) => {
      const values = typeof now === "string" ? [now] : items(now).map(([, value]) => value);
      for (const input of inputs) input.checked = values.includes(input.value);
      limit();
    });
    element.addEventListener("change", limit);
    return element;
  },
};
