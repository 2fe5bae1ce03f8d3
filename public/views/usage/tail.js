// The latest calls, as they end.

import { askJson } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { clock, count, duration, money } from "../../lib/format.js";
import { part, table, trouble } from "../../lib/page.js";

const PAUSE_MS = 3000;
const MOST = 50;

export function tail(place, filters, signal) {
  let calls = [];
  let since = null;
  let timer = 0;
  let filtered = "";
  const rows = h("div", {});
  const live = h("input", {
    type: "checkbox",
    id: "live",
    checked: true,
    onchange: () => (live.checked ? look() : clearTimeout(timer)),
  });
  fill(
    place,
    part(
      "Latest calls",
      h(
        "p",
        { class: "check" },
        live,
        h("label", { for: "live" }, "Live"),
        h("span", { class: "small" }, `the newest ${MOST}, every ${PAUSE_MS / 1000} s`),
      ),
      rows,
    ),
  );
  addEventListener("visibilitychange", look, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));

  async function look() {
    clearTimeout(timer);
    // why: a page nobody looks at should not wake a function somebody pays for
    if (signal.aborted || document.hidden) return;
    startAnewWhereFiltersChanged();
    const question = new URLSearchParams({ limit: String(MOST), ...filters(), ...(since ? { after: since } : {}) });
    const answer = await askJson(`/admin/calls?${question}`, { as: "admin" }).catch((failure) => failure);
    if (signal.aborted) return;
    if (answer instanceof Error) return fill(rows, trouble(answer, { again: look }));
    take(answer);
    if (live.checked) timer = setTimeout(look, PAUSE_MS);
  }

  function startAnewWhereFiltersChanged() {
    const now = JSON.stringify(filters());
    if (now !== filtered) [calls, since, filtered] = [[], null, now];
  }

  function take(answer) {
    const known = new Set(calls.map(({ id }) => id));
    const fresh = answer.calls.filter(({ id }) => !known.has(id));
    const first = since === null;
    since = answer.as_of;
    if (!fresh.length && !first) return;
    calls = [...fresh, ...calls].sort((one, other) => other.time - one.time).slice(0, MOST);
    fill(rows, calls.length ? listed(calls) : h("p", { class: "empty" }, "No call yet. They appear here as they end."));
  }

  return { look };
}

function listed(calls) {
  return table(
    "Latest calls",
    [
      ["Time", ({ time, id }) => h("a", { href: `#/usage/calls/${encodeURIComponent(id)}` }, clock(time)), "mono"],
      ["Model", (call) => call.model ?? call.path ?? "–", "mono"],
      ["Served by", (call) => call.provider ?? call.service ?? "–", "mono"],
      ["Lane", ({ lane }) => lane ?? "–", "mono"],
      ["Status", status, "mono"],
      ["In", ({ tokens_in: n }) => count(n), "number"],
      ["Out", ({ tokens_out: n }) => count(n), "number"],
      ["First byte", (call) => duration(call.first_byte_ms), "number"],
      ["Whole", (call) => duration(call.total_ms), "number"],
      ["Cost", ({ cost }) => money(cost), "number"],
    ],
    calls,
  );
}

function status({ status: code, outcome, error }) {
  const failed = code >= 400 || (outcome && outcome !== "complete");
  const words = [code, outcome !== "complete" && outcome, error].filter(Boolean).join(" ");
  return h("span", { class: failed ? "bad" : null }, words);
}
