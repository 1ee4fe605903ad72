// Message text as elements: paragraphs, fenced code, inline code and links. Everything that comes from outside goes in
// through textContent, so no text can become markup.

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`]*$/;
const INLINE = /`([^`\n]+)`|(https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}])/g;

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
export function show(parent, text) {
  const blocks = split(text);
  const before = shown.get(parent) ?? [];
  let same = 0;
  while (same < before.length && same < blocks.length && equal(before[same], blocks[same])) same += 1;
  while (parent.children.length > same) parent.lastElementChild.remove();
  for (const block of blocks.slice(same)) parent.append(block.code === undefined ? paragraph(block) : code(block));
  shown.set(parent, blocks);
}

function equal(one, other) {
  return one.text === other.text && one.code === other.code && one.language === other.language;
}

/** The blocks of a text; a fence that is still open reaches to the end. */
export function split(text) {
  const blocks = [];
  let lines = [];
  let fence = null;
  const endParagraph = () => {
    const paragraphText = lines.join("\n").trim();
    if (paragraphText) blocks.push({ text: paragraphText });
    lines = [];
  };
  const endFence = () => {
    blocks.push({ code: fence.lines.join("\n"), language: fence.language });
    fence = null;
  };
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line);
    if (fence) {
      if (mark && mark[1][0] === fence.mark[0] && mark[1].length >= fence.mark.length && !mark[2]) endFence();
      else fence.lines.push(line);
    } else if (mark) {
      endParagraph();
      fence = { mark: mark[1], language: mark[2], lines: [] };
    } else if (line.trim()) {
      lines.push(line);
    } else {
      endParagraph();
    }
  }
  if (fence) endFence();
  endParagraph();
  return blocks;
}

function paragraph({ text }) {
  const made = element("p", { dir: "auto" });
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    made.append(text.slice(end, match.index));
    made.append(match[1] === undefined ? link(match[2]) : element("code", {}, match[1]));
    end = match.index + match[0].length;
  }
  made.append(text.slice(end));
  return made;
}

function link(address) {
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address);
}

function code({ code: text, language }) {
  const block = element("pre", { dir: "ltr", tabIndex: 0 }, element("code", {}, text));
  const figure = element("figure", { className: "code" });
  const caption = element("figcaption", {}, element("span", {}, language || "code"));
  if (navigator.clipboard) {
    const copy = element("button", { type: "button", className: "small" }, "Copy");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
    caption.append(copy);
  }
  figure.append(caption, block);
  return figure;
}
