// Usage: what calls come to, by day and by what you ask; the latest calls as they end; and one call in full.

import { open } from "../lib/admin.js";
import { askJson } from "../lib/api.js";
import { fill, h, segments } from "../lib/dom.js";
import { keyed, notice, page, trouble, waiting } from "../lib/page.js";
import { FILTERS, breakdown } from "./usage/breakdown.js";
import { callPage } from "./usage/call.js";
import { byDay } from "./usage/days.js";
import { headline } from "./usage/headline.js";
import { tail } from "./usage/tail.js";

const SPANS = [
  ["1", "Today"],
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
];
const ABSENT =
  "The usage log is not open here. On a gateway of your own machine it is; elsewhere set ADMIN_TOKEN, and enter it with “Key”.";
const DAY_MS = 86_400_000;
const asked = { span: "7", filters: {} };

export function render(path, query) {
  if (path[0] === "calls" && path[1]) return callPage(path[1]);
  takeUp(query);
  const place = h("div", {}, waiting());
  const element = page(
    "Usage",
    "What calls came to: how many, how fast, how many tokens, and what they cost. Numbers and names; what was said is kept only where LOG_BODIES asks for it.",
    place,
  );
  return { element, leave: keyed(place, begin).leave };
}

/** An address may say what is asked, so that it outlives a reload and can be given to others. */
function takeUp(query) {
  if (!query.size) return;
  const { span, ...filters } = Object.fromEntries(query);
  if (SPANS.some(([known]) => known === span)) asked.span = span;
  asked.filters = Object.fromEntries(Object.entries(filters).filter(([name]) => FILTERS.includes(name)));
}

function showInAddress() {
  const told = new URLSearchParams({ span: asked.span, ...asked.filters });
  history.replaceState(null, "", `#/usage?${told}`);
}

async function begin(place, left) {
  const opened = await open().catch((failure) => failure);
  if (left.aborted) return;
  if (opened instanceof Error) return fill(place, trouble(opened, { absent: ABSENT, again: () => begin(place, left) }));
  if (!opened.usage) return fill(place, notice(false, "No usage log is kept: USAGE_LOG is off."));
  overview(place, opened, left);
}

function overview(place, opened, left) {
  const places = Object.fromEntries(["total", "days", "rows", "tail"].map((name) => [name, h("div", {})]));
  const chips = h("div", { class: "actions" });
  let shown = new AbortController();
  left.addEventListener("abort", () => shown.abort());

  async function load() {
    shown.abort();
    shown = new AbortController();
    const { signal } = shown;
    showFilters();
    showInAddress();
    const days = await usage("day").catch((failure) => failure);
    if (signal.aborted) return;
    if (days instanceof Error) return fill(places.total, trouble(days, { again: load }));
    fill(places.total, headline(days, opened));
    byDay(places.days, days, signal);
    breakdown(places.rows, { query, narrow }, signal);
    latest.look();
  }

  function narrow(filter) {
    Object.assign(asked.filters, filter);
    load();
  }

  function showFilters() {
    const chip = ([name, value]) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": `Remove the filter ${name} ${value}`,
          onclick: () => {
            delete asked.filters[name];
            load();
          },
        },
        `${name} `,
        h("code", {}, value),
        " ✕",
      );
    fill(chips, Object.entries(asked.filters).map(chip));
  }

  const spans = segments("Span of time", SPANS, asked.span, (span) => {
    asked.span = span;
    load();
  });
  fill(place, h("div", { class: "bar" }, spans, chips), places.total, places.days, places.rows, places.tail);
  const latest = tail(places.tail, () => asked.filters, left);
  load();
}

/** The question that all parts of the page ask, as a query. */
function query(group, more = {}) {
  const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const from = new Date(midnight - (Number(asked.span) - 1) * DAY_MS).toISOString().slice(0, 10);
  return new URLSearchParams({ from, ...(group ? { group } : {}), ...asked.filters, ...more });
}

const usage = (group) => askJson(`/admin/usage?${query(group)}`, { as: "admin" });
