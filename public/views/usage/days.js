// The days, as a chart of what one wants to see.

import { chart } from "../../lib/charts.js";
import { fill, h, segments } from "../../lib/dom.js";
import { count, duration, money, short } from "../../lib/format.js";
import { part } from "../../lib/page.js";

const of = (name, label, colour, as = "bars") => ({ label, colour, as, value: (row) => row?.[name] ?? 0 });
const time = (name, label, colour) => ({
  label,
  colour,
  as: "line",
  value: (row) => row?.first_byte_ms?.[name] ?? null,
});

const MEASURES = {
  calls: {
    label: "Calls",
    tell: count,
    whole: true,
    series: [of("calls", "Calls", "--accent"), of("errors", "Failed", "--bad")],
  },
  cost: { label: "Cost", tell: money, series: [of("cost", "Cost", "--accent")] },
  tokens: {
    label: "Tokens",
    tell: short,
    whole: true,
    series: [
      { ...of("tokens_in", "In and out", "--edge"), value: (row) => (row?.tokens_in ?? 0) + (row?.tokens_out ?? 0) },
      of("tokens_out", "Out", "--accent"),
    ],
  },
  latency: {
    label: "First byte",
    tell: duration,
    series: [time("p50", "p50", "--accent"), time("p90", "p90", "--mind"), time("p99", "p99", "--bad")],
  },
};
let measure = "calls";

export function byDay(place, report, signal) {
  const days = everyDay(report);
  const drawing = h("div", { class: "chart" });
  const draw = (chosen) => {
    measure = chosen;
    drawIn(drawing, days, signal);
  };
  const choices = Object.entries(MEASURES).map(([name, { label }]) => [name, label]);
  fill(place, part("By day", segments("What the chart shows", choices, measure, draw), drawing));
  draw(measure);
}

let drawn = new AbortController();

function drawIn(place, days, signal) {
  drawn.abort();
  drawn = new AbortController();
  const { label, tell, whole, series } = MEASURES[measure];
  const told = series.map((one) => ({ ...one, values: days.map(([, row]) => one.value(row)) }));
  const ends = AbortSignal.any([signal, drawn.signal]);
  const question = {
    days: days.map(([day]) => day),
    series: told,
    tell,
    whole,
    label: `${label} by day; the table below tells the same by “day”.`,
  };
  chart(place, question, ends).catch((cause) =>
    fill(place, h("p", { class: "bad" }, `The chart cannot be drawn: ${cause.message}`)),
  );
}

/** Days without a call are days, too. */
function everyDay({ from, to, rows }) {
  const known = new Map(rows.map((row) => [row.day, row]));
  const days = [];
  for (let at = Date.parse(`${from.slice(0, 10)}T00:00:00Z`); at <= Date.parse(to); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push([day, known.get(day)]);
  }
  return days;
}
