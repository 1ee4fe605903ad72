// The components that show something: each is given its properties and the part that it is of, and returns an element.

const HEADINGS = new Set(["h1", "h2", "h3", "h4", "h5"]);
const JUSTIFY = {
  start: "flex-start",
  center: "center",
  end: "flex-end",
  spaceBetween: "space-between",
  spaceAround: "space-around",
  spaceEvenly: "space-evenly",
};
const ALIGN = { start: "flex-start", center: "center", end: "flex-end", stretch: "stretch" };
const FITS = new Set(["contain", "cover", "fill", "none", "scale-down"]);
const IMAGE_HINTS = new Set(["icon", "avatar", "smallFeature", "mediumFeature", "largeFeature", "header"]);
const ICONS = {
  accountCircle: "👤", add: "+", arrowBack: "←", arrowForward: "→", attachFile: "📎", calendarToday: "📅", call: "📞",
  camera: "📷", check: "✓", close: "✕", delete: "🗑", download: "⬇", edit: "✎", event: "📅", error: "⛔", favorite: "♥",
  favoriteOff: "♡", folder: "📁", help: "?", home: "⌂", info: "ℹ", locationOn: "📍", lock: "🔒", lockOpen: "🔓", mail: "✉",
  menu: "☰", moreVert: "⋮", moreHoriz: "⋯", notificationsOff: "🔕", notifications: "🔔", payment: "💳", person: "👤",
  phone: "📱", photo: "🖼", print: "🖨", refresh: "↻", search: "🔍", send: "➤", settings: "⚙", share: "⤴",
  shoppingCart: "🛒", star: "★", starHalf: "⯪", starOff: "☆", upload: "⬆", visibility: "👁", visibilityOff: "🙈", warning: "⚠",
};

export function make(tag, className = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** Addresses that can show something and not do anything. */
function harmless(url) {
  try {
    const { protocol } = new URL(url, location.href);
    return protocol === "https:" || protocol === "http:" || protocol === "blob:" || /^data:(image|audio|video)\//i.test(url);
  } catch {
    return false;
  }
}

function follow(element, part, url) {
  part.text(url, (text) => {
    if (text && harmless(text)) element.src = text;
    else element.removeAttribute("src");
  });
}

/** The little of Markdown that texts may have: bold, italic, code. Never markup. */
function marked(text) {
  return text.split(/(\*\*[^*\n]+\*\*|\*[^*\s][^*\n]*\*|`[^`\n]+`)/).map((piece, index) => {
    if (index % 2 === 0) return piece;
    const [tag, length] = piece.startsWith("**") ? ["strong", 2] : piece.startsWith("*") ? ["em", 1] : ["code", 1];
    const element = make(tag);
    element.textContent = piece.slice(length, -length);
    return element;
  });
}

function box(className, { children, distribution, alignment }, part) {
  const element = make("div", className);
  element.style.justifyContent = JUSTIFY[distribution] ?? "";
  element.style.alignItems = ALIGN[alignment] ?? "";
  element.append(...part.children(children));
  return element;
}

export const DISPLAY = {
  Text({ text, usageHint }, part) {
    const element = make(HEADINGS.has(usageHint) ? usageHint : "p", usageHint === "caption" ? "text caption" : "text");
    part.text(text, (value) => element.replaceChildren(...marked(value)));
    return element;
  },

  Image({ url, fit, usageHint }, part) {
    const element = make("img", IMAGE_HINTS.has(usageHint) ? usageHint : "");
    element.alt = "";
    if (FITS.has(fit)) element.style.objectFit = fit;
    follow(element, part, url);
    return element;
  },

  Icon({ name }, part) {
    const element = make("span", "icon");
    element.setAttribute("role", "img");
    part.text(name, (value) => {
      element.textContent = Object.hasOwn(ICONS, value) ? ICONS[value] : value;
      element.setAttribute("aria-label", value);
    });
    return element;
  },

  Video({ url }, part) {
    const element = make("video");
    element.controls = true;
    follow(element, part, url);
    return element;
  },

  AudioPlayer({ url, description }, part) {
    const element = make("figure", "audio");
    const caption = make("figcaption");
    const player = make("audio");
    player.controls = true;
    follow(player, part, url);
    part.text(description, (value) => (caption.textContent = value));
    element.append(caption, player);
    return element;
  },

  Row(properties, part) {
    return box("row", properties, part);
  },

  Column(properties, part) {
    return box("column", properties, part);
  },

  List(properties, part) {
    const element = box(properties.direction === "horizontal" ? "list row" : "list column", properties, part);
    element.setAttribute("role", "list");
    for (const child of element.children) child.setAttribute("role", "listitem");
    return element;
  },

  Card({ child, children }, part) {
    const element = make("div", "card");
    element.append(...(children ? part.children(children) : [part.child(child)].filter(Boolean)));
    return element;
  },

  Divider({ axis }) {
    const element = make("hr", axis === "vertical" ? "vertical" : "");
    element.setAttribute("aria-orientation", axis === "vertical" ? "vertical" : "horizontal");
    return element;
  },

  Tabs({ tabItems }, part) {
    const tabs = (Array.isArray(tabItems) ? tabItems : []).filter((tab) => tab && typeof tab === "object");
    const chosen = Math.min(part.state("tab") ?? 0, Math.max(tabs.length - 1, 0));
    const element = make("div", "tabs");
    const strip = make("div", "strip");
    strip.setAttribute("role", "tablist");
    tabs.forEach((tab, index) => {
      const button = make("button");
      button.type = "button";
      button.dataset.key = `${part.key} ${index}`;
      button.setAttribute("role", "tab");
      button.setAttribute("aria-selected", String(index === chosen));
      part.text(tab.title, (value) => (button.textContent = value));
      button.addEventListener("click", () => {
        part.setState("tab", index);
        part.again();
      });
      strip.append(button);
    });
    const panel = make("div", "panel");
    panel.setAttribute("role", "tabpanel");
    const content = tabs.length ? part.child(tabs[chosen].child) : null;
    if (content) panel.append(content);
    element.append(strip, panel);
    return element;
  },

  Modal({ entryPointChild, contentChild }, part) {
    const element = make("div", "modal");
    const dialog = make("dialog");
    const entry = part.child(entryPointChild);
    const content = part.child(contentChild);
    const close = make("button", "close");
    close.type = "button";
    close.textContent = "✕";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => dialog.close());
    dialog.append(close, ...(content ? [content] : []));
    dialog.toggleAttribute("data-open", Boolean(part.state("open")));
    dialog.addEventListener("close", () => part.setState("open", false));
    if (entry) {
      element.append(entry);
      entry.addEventListener("click", () => {
        part.setState("open", true);
        if (!dialog.open) dialog.showModal();
      });
    }
    element.append(dialog);
    return element;
  },
};
