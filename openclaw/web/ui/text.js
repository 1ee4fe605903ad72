// Message text as elements. Everything that comes from outside goes in as text, so none of it can become markup.

import { blocks } from "./markdown.js";

const COPIED_MS = 1500;

// What each element shows, so that a growing text only touches its end.
const shown = new WeakMap();

/** An element with properties and children; children that are strings become text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Show a text in an element, keeping the elements of those blocks that are the same as before. */
export function show(parent, text, { plain = false } = {}) {
  const wanted = blocks(text, { plain });
  const keys = wanted.map((block) => JSON.stringify(block));
  const before = shown.get(parent) ?? [];
  let same = 0;
  while (same < before.length && same < keys.length && before[same] === keys[same]) same += 1;
  while (parent.children.length > same) parent.lastElementChild.remove();
  parent.append(...wanted.slice(same).map(block));
  shown.set(parent, keys);
}

/** What an element says, without the controls in it. */
export function spoken(parent) {
  const copy = parent.cloneNode(true);
  for (const caption of copy.querySelectorAll("figcaption")) caption.remove();
  return copy.textContent.trim();
}

const MAKERS = {
  paragraph: ({ content }) => element("p", { dir: "auto" }, ...inline(content)),
  // The page's own heading is the first, a message's begin below.
  heading: ({ level, content }) => element(`h${Math.min(level + 2, 6)}`, { dir: "auto" }, ...inline(content)),
  rule: () => element("hr"),
  quote: ({ blocks: inner }) => directed(element("blockquote", {}, ...inner.map(block))),
  list,
  table,
  code,
};

function block(told) {
  return MAKERS[told.kind](told);
}

function inline(content) {
  return content.map((part) => {
    if (typeof part === "string") return part;
    if (part.kind === "code") return element("code", { dir: "auto" }, part.text);
    if (part.kind !== "link") return element(part.kind, {}, ...inline(part.content));
    // The label may say anything, so the address is there to be seen.
    const where = { href: part.target, title: part.target, target: "_blank", rel: "noopener noreferrer" };
    return element("a", where, ...inline(part.content));
  });
}

function list({ start, items }) {
  const made = start === null ? element("ul") : element("ol", { start });
  made.append(...items.map((item) => element("li", {}, ...item.map(block))));
  return directed(made);
}

/** Let the text in an element say on which side its marks stand; what has a direction of its own would not count. */
function directed(made) {
  for (const paragraph of made.querySelectorAll("p")) paragraph.removeAttribute("dir");
  made.dir = "auto";
  return made;
}

function table({ align, head, rows }) {
  const row = (tag, cells) =>
    element("tr", {}, ...cells.map((cell, column) => element(tag, { className: align[column] }, ...inline(cell))));
  const body = element("tbody", {}, ...rows.map((cells) => row("td", cells)));
  const made = element("table", {}, element("thead", {}, row("th", head)), body);
  return element("div", { className: "table", dir: "auto", tabIndex: 0, role: "group", "aria-label": "Table" }, made);
}

function code({ text, language }) {
  const name = language || "code";
  const caption = element("figcaption", {}, element("span", {}, name));
  const inner = element("pre", { dir: "ltr", tabIndex: 0 }, element("code", {}, text));
  if (navigator.clipboard) caption.append(copyButton(text));
  return element("figure", { className: "code" }, caption, inner);
}

function copyButton(text) {
  const button = element("button", { type: "button", className: "small" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch (error) {
      console.warn("The browser does not let the page copy.", error);
      button.textContent = "Not copied";
    }
    setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  });
  return button;
}
