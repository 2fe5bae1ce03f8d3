// Charts, by a library that is loaded when the first one is shown. Their numbers stand in a table as well, for those
// who cannot see a drawing.

import { h } from "./dom.js";

let loading = null;

function library() {
  loading ??= import("../vendor/uplot.js").then(async ({ default: uPlot }) => {
    await stylesheet("/vendor/uplot.css");
    return uPlot;
  });
  return loading;
}

function stylesheet(href) {
  return new Promise((resolve, reject) => {
    document.head.append(
      h("link", {
        rel: "stylesheet",
        href,
        onload: resolve,
        onerror: () => reject(new Error(`${href} cannot be loaded`)),
      }),
    );
  });
}

/** The steps of an axis that counts: there is no half call. */
const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].flatMap((ten) => [ten, 2 * ten, 5 * ten]);

/**
 * A chart over days. `series` are `{ label, values, colour, as: "bars" | "line" }`, and `tell` words a value, `whole` says that it counts.
 *
 * It fits the element it is in, follows the theme, and ends when `signal` says.
 */
export async function chart(place, { days, series, tell, whole, label }, signal) {
  const uPlot = await library();
  if (signal.aborted) return;
  const data = [days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000), ...series.map(({ values }) => values)];
  let drawn = null;
  const draw = () => {
    drawn?.destroy();
    place.replaceChildren();
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", label);
    drawn = new uPlot(options(uPlot, place, { series, tell, whole }), data, place);
    tellLast(drawn);
  };
  draw();
  const fit = new ResizeObserver(() => drawn.setSize(sizeOf(place)));
  fit.observe(place);
  addEventListener("themechanged", draw, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  signal.addEventListener("abort", () => {
    fit.disconnect();
    drawn.destroy();
  });
}

/** The last day stands below the chart where none is pointed at. */
function tellLast(drawn) {
  const tell = () => drawn.setLegend({ idx: drawn.data[0].length - 1 });
  drawn.over.addEventListener("mouseleave", () => queueMicrotask(tell));
  queueMicrotask(tell); // why: it draws itself, and an empty legend, a moment later
}

const sizeOf = (place) => ({ width: Math.max(240, place.clientWidth), height: 200 });

function options(uPlot, place, { series, tell, whole }) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--soft"),
    font: `11px ${colour("--mono")}`,
    grid: { stroke: colour("--rule"), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars({ size: [0.7, 40], align: 0 });
  const one = ({ label, colour: name, as }) => ({
    label,
    stroke: colour(name),
    width: as === "bars" ? 0 : 2,
    fill: as === "bars" ? colour(name) : undefined,
    paths: as === "bars" ? bars : undefined,
    points: { show: as !== "bars", size: 5, fill: colour(name) },
    value: (_, value) => (value === null ? "–" : tell(value)),
  });
  return {
    ...sizeOf(place),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    cursor: { y: false, points: { show: false } },
    scales: {
      x: { range: (_, from, to) => [from - 43_200, to + 43_200] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        incrs: [86_400, 172_800, 604_800, 2_592_000],
        values: (_, marks) => marks.map(day),
      },
      { ...axis, size: 64, ...(whole && { incrs: WHOLE }), values: (_, marks) => marks.map((mark) => tell(mark)) },
    ],
    series: [{ label: "Day", value: (_, seconds) => (seconds === null ? "–" : day(seconds)) }, ...series.map(one)],
  };
}

const day = (seconds) =>
  new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
