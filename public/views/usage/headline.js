// The numbers that are asked for first.

import { h } from "../../lib/dom.js";
import { count, duration, money, moment, percent, plural, short } from "../../lib/format.js";
import { notice } from "../../lib/page.js";

export function headline({ total, truncated, complete_since: since }, { lasting, store, retention_days: kept }) {
  const figures = [
    [
      "Calls",
      count(total.calls),
      total.errors ? `${count(total.errors)} failed, ${percent(total.errors, total.calls)}` : "none failed",
    ],
    [
      "Cost",
      total.calls && total.cost_unknown === total.calls ? "–" : money(total.cost),
      total.cost_unknown ? `${plural(total.cost_unknown, "call")} of unknown price` : "all prices known",
    ],
    ["Tokens in", short(total.tokens_in), total.tokens_cached ? `${short(total.tokens_cached)} cached` : ""],
    ["Tokens out", short(total.tokens_out), total.tokens_reasoning ? `${short(total.tokens_reasoning)} reasoning` : ""],
    ["First byte", duration(total.first_byte_ms?.p50), spread(total.first_byte_ms)],
    ["Whole call", duration(total.total_ms?.p50), spread(total.total_ms)],
  ];
  const figure = ([name, value, note]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "small" }, note));
  return [
    h("dl", { class: "figures" }, figures.map(figure)),
    truncated &&
      notice(
        false,
        `There are more calls than were read: the numbers hold since ${moment(since)}. A shorter span tells all.`,
      ),
    h(
      "p",
      { class: "small" },
      lasting
        ? `Kept for ${kept} days in ${store}. `
        : "Kept in this instance’s memory: its own calls only, and gone when it ends. ",
      "Days are UTC.",
    ),
  ];
}

const spread = (times) =>
  times?.p50 === null || times?.p50 === undefined ? "" : `p90 ${duration(times.p90)}, p99 ${duration(times.p99)}`;
