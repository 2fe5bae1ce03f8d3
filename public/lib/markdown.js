// Shows markdown that a model wrote, which is to say: that anybody may have written.
//
// HTML within it is shown as the text it is, but for a few marks without attributes; and what markdown becomes is cleaned
// before it is part of the page. Pictures of other places stay links, since fetching one would tell its owner who reads.

import { Marked } from "../vendor/marked.js";
import DOMPurify from "../vendor/purify.js";
import { copyButton } from "./copy.js";
import { h } from "./dom.js";

const CLEAN = {
  RETURN_DOM_FRAGMENT: true,
  USE_PROFILES: { html: true },
  FORBID_TAGS: [
    "style",
    "form",
    "input",
    "button",
    "textarea",
    "select",
    "option",
    "audio",
    "video",
    "source",
    "picture",
    "dialog",
  ],
  FORBID_ATTR: [
    "style",
    "id",
    "name",
    "class",
    "srcset",
    "background",
    "poster",
    "popover",
    "popovertarget",
    "tabindex",
    "usemap",
  ],
  ALLOW_DATA_ATTR: false,
};

const RULES = {
  gfm: true,
  renderer: {
    html: ({ text }) =>
      text.replace(/<(?!\/?(?:b|br|del|details|em|i|ins|kbd|mark|s|strong|sub|summary|sup|u)\s*\/?>)/gi, "&lt;"),
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    // why: a code's language is told in an attribute, since classes are not let through
    code: ({ text, lang }) => `<pre title="${escaped(lang ?? "")}"><code>${escaped(text)}\n</code></pre>`,
    image: ({ href, text }) =>
      href.startsWith("data:image/") ? false : `<a href="${escaped(href)}">${escaped(text || "image")} ↗</a>`,
  },
};

/** What people and models write breaks its lines where it means to; what stands in a document does not. */
const written = new Marked({ ...RULES, breaks: true });
const printed = new Marked({ ...RULES, breaks: false });

const escaped = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A" && node.hasAttribute("href")) {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  if (node.tagName === "IMG" && !/^data:image\//.test(node.getAttribute("src") ?? "")) node.remove();
});

/** An answer that grows: only the blocks that changed are drawn again, so that what was read, or marked, stays. */
export class Growing {
  #blocks = [];
  #links = "";

  constructor(element) {
    this.element = element;
  }

  /** Shows the text as it is so far. */
  show(text) {
    const whole = written.lexer(text);
    const tokens = whole.filter(({ type }) => type !== "space");
    const blocks = tokens.map((token) => token.raw);
    const from = this.#same(blocks, JSON.stringify(whole.links));
    while (this.element.children.length > from) this.element.lastElementChild.remove();
    for (const token of tokens.slice(from)) this.element.append(drawn(written, [token], whole.links));
    this.#blocks = blocks;
  }

  /** How many blocks stand as they were. */
  #same(blocks, links) {
    // why: an address that is told at the end belongs to a link far above
    if (links !== this.#links) {
      this.#links = links;
      return 0;
    }
    const changed = this.#blocks.findIndex((raw, i) => raw !== blocks[i]);
    return changed === -1 ? this.#blocks.length : changed;
  }
}

/** Text of a document, as a part of the page. */
export function markdown(text) {
  const tokens = printed.lexer(text);
  return drawn(printed, tokens, tokens.links);
}

function drawn(marked, tokens, links) {
  const list = Object.assign([...tokens], { links });
  const block = h("div", { dir: "auto" }, DOMPurify.sanitize(marked.parser(list), CLEAN));
  block.querySelectorAll("pre").forEach(dressCode);
  block
    .querySelectorAll("table")
    .forEach((table) =>
      table.replaceWith(
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, table.cloneNode(true)),
      ),
    );
  return block;
}

function dressCode(pre) {
  const language = pre.title;
  pre.removeAttribute("title");
  pre.tabIndex = 0;
  pre.dir = "ltr"; // why: code is read from the left whatever stands around it
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", language ? `Code, ${language}` : "Code");
  const code = pre.textContent.replace(/\n$/, "");
  const bar = h(
    "div",
    { class: "code-bar" },
    h("span", {}, language),
    copyButton("Copy this code", () => code),
  );
  const box = h("div", { class: "code" });
  pre.replaceWith(box);
  box.append(bar, pre);
}
