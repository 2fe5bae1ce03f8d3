// What every view but the playground looks like: a heading, a sentence, and what is there, or why nothing is.

import { isAbsent, wantsKey } from "./api.js";
import { h } from "./dom.js";

/** A view. */
export function page(title, lead, ...children) {
  return h(
    "section",
    { class: "page" },
    h("header", { class: "page-head" }, h("h1", {}, title), h("p", { class: "lead" }, lead)),
    children,
  );
}

/** A part of a view with a heading of its own. */
export const part = (title, ...children) => h("section", { class: "part" }, h("h2", {}, title), children);

/** Why something cannot be shown, and what to do. `absent` is said where there simply is no such page. */
export function trouble(failure, { absent, again }) {
  if (wantsKey(failure)) {
    const enter = () => dispatchEvent(new CustomEvent("wantkeys", { detail: failure.message }));
    return notice(
      false,
      failure.message,
      h("button", { type: "button", class: "primary", onclick: enter }, "Enter a key"),
    );
  }
  if (absent && isAbsent(failure)) return notice(false, absent);
  return notice(true, failure.message, again && h("button", { type: "button", onclick: again }, "Try again"));
}

/** Something to be read before anything else here. */
export const notice = (failed, words, ...actions) =>
  h(
    "div",
    { class: failed ? "notice failed" : "notice", role: failed ? "alert" : null },
    h("p", {}, words),
    actions.some(Boolean) && h("p", { class: "actions" }, actions),
  );

/** A table that scrolls by itself where it is too wide. `columns` are `[heading, cell of a row, class]`. */
export function table(label, columns, rows) {
  const heads = columns.map(([head, , kind]) => h("th", { scope: "col", class: kind }, head));
  const line = (row) =>
    h(
      "tr",
      {},
      columns.map(([, cell, kind]) => h("td", { class: kind }, cell(row))),
    );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(line))),
  );
}

/**
 * A view that begins anew whenever the keys change: `begin(place, signal)`, whose signal ends when it is begun again
 * or left, so that a slow answer never overwrites a newer one.
 */
export function keyed(place, begin) {
  let shown = new AbortController();
  const again = () => {
    shown.abort();
    shown = new AbortController();
    begin(place, shown.signal);
  };
  addEventListener("keyschanged", again);
  again();
  return {
    again,
    leave: () => {
      removeEventListener("keyschanged", again);
      shown.abort();
    },
  };
}

/** While it is asked for. */
export const waiting = (words = "Asking the gateway…") => h("p", { class: "soft" }, words);
