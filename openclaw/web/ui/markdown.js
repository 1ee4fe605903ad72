// From Markdown to plain data: the part of it that answers use. No element is made here, and nothing is ever markup: what
// is not understood stays the text that it is.
//
// Blocks: {kind: "paragraph" | "heading" | "quote" | "list" | "table" | "code" | "rule", …}. Inline: strings and
// {kind: "strong" | "em" | "del" | "code" | "link", …}. Every loop is linear or bounded, so no text holds up the page.

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:( {1,4})(?=\S)| *$)/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const ADDRESS = /https?:\/\/[^\s<>"'`\\]+/y;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}_]/u;

// Deeper than this nothing is nested.
const DEEPEST = 8;
const LONGEST_LABEL = 300;

/** The blocks of an answer; `plain` are those of a text as people type it: paragraphs and fenced code. */
export function blocks(text, { plain = false } = {}) {
  return blocksOf(text.split("\n"), plain ? DEEPEST : 0);
}

function blocksOf(lines, depth) {
  const found = [];
  let paragraph = [];
  const endParagraph = () => {
    const text = paragraph.join("\n").trim();
    if (text) found.push({ kind: "paragraph", content: inline(text, depth === DEEPEST ? { plain: true } : {}) });
    paragraph = [];
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const block = line.trim() ? blockAt(lines, at, depth, paragraph.length > 0) : null;
    if (block || !line.trim()) endParagraph();
    if (block) found.push(block.made);
    else if (line.trim()) paragraph.push(line);
    at = block ? block.next : at + 1;
  }
  endParagraph();
  return found;
}

/** The block that begins at a line, and the line behind it; null for a line of a paragraph. */
function blockAt(lines, at, depth, inParagraph) {
  const fence = FENCE.exec(lines[at]);
  if (fence) return codeAt(lines, at, fence);
  if (depth >= DEEPEST) return null;
  const heading = HEADING.exec(lines[at]);
  if (heading) return { made: { kind: "heading", level: heading[1].length, content: inline(heading[2]) }, next: at + 1 };
  if (RULE.test(lines[at])) return { made: { kind: "rule" }, next: at + 1 };
  if (QUOTE.test(lines[at])) return quoteAt(lines, at, depth);
  const item = ITEM.exec(lines[at]);
  // A number in the middle of a paragraph is a number, unless it is the first.
  if (item && !(inParagraph && /\d/.test(item[2]) && parseInt(item[2], 10) !== 1)) return listAt(lines, at, depth, item);
  if (lines[at].includes("|") && at + 1 < lines.length) return tableAt(lines, at);
  return null;
}

/** Fenced code; a fence that is still open reaches to the end. */
function codeAt(lines, at, [, mark, language]) {
  let end = at + 1;
  const closes = (line) => {
    const found = FENCE.exec(line);
    return found && found[1][0] === mark[0] && found[1].length >= mark.length && !found[2];
  };
  while (end < lines.length && !closes(lines[end])) end += 1;
  return { made: { kind: "code", text: lines.slice(at + 1, end).join("\n"), language }, next: end + 1 };
}

function quoteAt(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return { made: { kind: "quote", blocks: blocksOf(inner, depth + 1) }, next: end };
}

function listAt(lines, at, depth, first) {
  const ordered = /\d/.test(first[2]);
  const sort = first[2].at(-1);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    if (!item || item[2].at(-1) !== sort || RULE.test(lines[next])) break;
    const indent = item[1].length + item[2].length + (item[3]?.length ?? 1);
    const box = { "[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ " }[lines[next].slice(indent, indent + 4)];
    const inner = [box ? box + lines[next].slice(indent + 4) : lines[next].slice(indent)];
    next += 1;
    // What is indented belongs to the item, also behind a blank line; so does text that goes on at once.
    while (next < lines.length) {
      const line = lines[next];
      const space = line.startsWith("\t") ? 1 : Math.min(indent, line.search(/[^ ]|$/));
      const inside = space >= 2 || line.startsWith("\t");
      if (line.trim() && !inside && (!inner.at(-1).trim() || blockBegins(line))) break;
      inner.push(line.slice(space));
      next += 1;
    }
    while (inner.length && !inner.at(-1).trim()) inner.pop();
    items.push(blocksOf(inner, depth + 1));
  }
  const start = ordered ? parseInt(first[2], 10) : null;
  return { made: { kind: "list", start, items }, next };
}

function blockBegins(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((begin) => begin.test(line));
}

function tableAt(lines, at) {
  const head = cells(lines[at]);
  if (!TABLE_RULE.test(lines[at + 1])) return null;
  const rules = cells(lines[at + 1]);
  if (rules.length !== head.length) return null;
  const align = rules.map((rule) => (rule.endsWith(":") ? (rule.startsWith(":") ? "center" : "end") : "start"));
  const rows = [];
  let next = at + 2;
  while (next < lines.length && lines[next].includes("|") && !blockBegins(lines[next])) {
    const row = cells(lines[next]);
    rows.push(head.map((_, column) => inline(row[column] ?? "")));
    next += 1;
  }
  return { made: { kind: "table", align, head: head.map((cell) => inline(cell)), rows }, next };
}

function cells(line) {
  const found = [""];
  for (const [part] of line.trim().matchAll(/\\\||[^|\\]+|./g)) {
    if (part === "|") found.push("");
    else found[found.length - 1] += part === "\\|" ? "|" : part;
  }
  // Bars at the ends frame the row.
  if (!found[0]) found.shift();
  if (found.length > 1 && !found.at(-1)) found.pop();
  return found.map((cell) => cell.trim());
}

/** The inline content of a text; `plain` knows only code and addresses, `linked` is the label of a link. */
function inline(text, { plain = false, linked = false, depth = 0 } = {}) {
  const found = [];
  const missing = new Set(); // marks that nothing closes from here on
  let words = "";
  let at = 0;
  const add = (made, next) => {
    if (words) found.push(words);
    words = "";
    found.push(made);
    at = next;
  };
  while (at < text.length) {
    const letter = text[at];
    const made =
      (letter === "`" && codeSpan(text, at, missing)) ||
      (letter === "h" && !linked && address(text, at)) ||
      (!plain && depth < DEEPEST && marked(text, at, { linked, depth: depth + 1 }, missing));
    if (made) {
      add(made.made, made.next);
    } else if (!plain && letter === "\\" && PUNCTUATION.test(text[at + 1] ?? "")) {
      words += text[at + 1];
      at += 2;
    } else {
      // Of a run of marks that closes nothing, none opens anything.
      const length = "`*_~".includes(letter) ? run(text, at) : 1;
      words += text.slice(at, at + length);
      at += length;
    }
  }
  if (words) found.push(words);
  return found;
}

function marked(text, at, inside, missing) {
  const letter = text[at];
  if (letter === "*" || letter === "_" || letter === "~") return emphasis(text, at, inside, missing);
  if (letter === "[" || (letter === "!" && text[at + 1] === "[")) return inside.linked ? null : link(text, at, inside);
  return null;
}

/** How often the letter at a place is repeated from there on. */
function run(text, at) {
  let end = at;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

function codeSpan(text, at, missing) {
  const length = run(text, at);
  const mark = "`".repeat(length);
  if (missing.has(mark)) return null;
  let end = at + length;
  while ((end = text.indexOf(mark, end)) >= 0) {
    const closing = run(text, end);
    if (closing === length) {
      const inner = text.slice(at + length, end).replaceAll("\n", " ");
      const trimmed = inner.startsWith(" ") && inner.endsWith(" ") && inner.trim() ? inner.slice(1, -1) : inner;
      return { made: { kind: "code", text: trimmed }, next: end + length };
    }
    end += closing;
  }
  missing.add(mark);
  return null;
}

function emphasis(text, at, inside, missing) {
  const letter = text[at];
  const length = run(text, at);
  const inWord = WORD.test(text[at - 1] ?? "");
  if (length > 3 || (letter === "~" && length !== 2) || (letter === "_" && inWord)) return null;
  if (!(text[at + length] ?? "").trim()) return null;
  const mark = letter.repeat(length);
  if (missing.has(mark)) return null;
  const end = closing(text, at + length, letter, length);
  if (end < 0) {
    missing.add(mark);
    return null;
  }
  const content = inline(text.slice(at + length, end), inside);
  const kind = letter === "~" ? "del" : length === 1 ? "em" : "strong";
  const made = length === 3 ? { kind, content: [{ kind: "em", content }] } : { kind, content };
  return { made, next: end + length };
}

/** Where so many marks close what they opened: behind a word, and not in code. */
function closing(text, from, letter, length) {
  const open = new Set();
  let at = from;
  while (at < text.length) {
    if (text[at] === "\\") {
      at += 2;
    } else if (text[at] === "`") {
      at = codeSpan(text, at, open)?.next ?? at + run(text, at);
    } else if (text[at] === letter) {
      const there = run(text, at);
      const ends = text[at - 1].trim() && (letter !== "_" || !WORD.test(text[at + there] ?? ""));
      if (ends && there === length) return at;
      // One end of both: the inner mark is the first, the outer one the last.
      if (ends && there === 3 && length < 3) return at + 3 - length;
      at += there;
    } else {
      at += 1;
    }
  }
  return -1;
}

function address(text, at) {
  if (WORD.test(text[at - 1] ?? "")) return null;
  ADDRESS.lastIndex = at;
  let found = ADDRESS.exec(text)?.[0];
  if (!found) return null;
  // What ends a sentence or a bracket around the address is not of it.
  for (;;) {
    const last = found.at(-1);
    const unopened = last === ")" && found.split(")").length > found.split("(").length;
    if (!unopened && !"*_~.,;:!?]}".includes(last)) break;
    found = found.slice(0, -1);
  }
  const target = safe(found);
  return target && { made: { kind: "link", target, content: [found] }, next: at + found.length };
}

/** `[label](target "title")`, or a picture, which becomes a link: the page loads nothing from elsewhere. */
function link(text, at, inside) {
  const start = text.indexOf("[", at) + 1;
  let open = 1;
  let end = start;
  while (open && end < text.length && end - start < LONGEST_LABEL) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === "[") open += 1;
    else if (text[end] === "]") open -= 1;
    end += 1;
  }
  if (open || text[end] !== "(") return null;
  const found = /\(\s*(?:<([^<>\n]{1,2000})>|([^\s()<>]{1,2000}(?:\([^\s()]{0,500}\)[^\s()<>]{0,500})?))(?:\s+["'(][^\n)]{0,300})?\s*\)/y;
  found.lastIndex = end;
  const told = found.exec(text);
  const target = told && safe(told[1] ?? told[2]);
  if (!target) return null;
  const label = inline(text.slice(start, end - 1), { ...inside, linked: true });
  return { made: { kind: "link", target, content: label.length ? label : [target] }, next: found.lastIndex };
}

/** An address that may be opened, as the browser reads it; null for any other. */
function safe(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
