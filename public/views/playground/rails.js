// Two lanes, and the call on the one it took: hollow while it waits, solid while the answer streams.

import { told } from "../../lib/answer.js";
import { h, svg } from "../../lib/dom.js";
import { duration } from "../../lib/format.js";

const WIDTH = 300;
const LANES = { edge: 22, background: 58 };

export function rails(turn) {
  const call = turn && callOf(turn);
  const drawing = svg(
    "svg",
    { class: "rails", viewBox: `0 0 ${WIDTH} 64`, "aria-hidden": "true", "data-lane": call?.lane ?? "" },
    Object.entries(LANES).map(([lane, y]) => rail(lane, y, call)),
    call && bar(call),
  );
  return h(
    "figure",
    {},
    drawing,
    h(
      "figcaption",
      { class: "small" },
      call ? caption(call) : "Streams and small bodies take the edge; long work the background.",
    ),
  );
}

function callOf({ answer, failed }) {
  const { lane } = told(failed?.headers ?? answer.headers);
  const end = answer.times.end ?? (answer.times.asked ? performance.now() - answer.times.asked : 0);
  return {
    lane: lane ?? "edge",
    first: answer.times.text ?? answer.times.head ?? end,
    end,
    failed: Boolean(failed),
    running: answer.times.end === null,
  };
}

function rail(lane, y, call) {
  const taken = call?.lane === lane;
  return svg(
    "g",
    { class: taken ? "rail taken" : "rail" },
    svg("line", { x1: 0, x2: WIDTH, y1: y, y2: y }),
    svg("text", { x: 0, y: y - 8 }, lane),
  );
}

function bar({ lane, first, end, failed }) {
  const y = LANES[lane] ?? LANES.edge;
  const at = end > 0 ? Math.max(2, Math.min(WIDTH, (WIDTH * first) / end)) : 2;
  return svg(
    "g",
    { class: failed ? "bar failed" : "bar" },
    svg("rect", { class: "waiting", x: 0.75, y: y - 2.5, width: Math.max(0, at - 1.5), height: 5 }),
    svg("rect", { class: "streaming", x: at, y: y - 3, width: Math.max(0, WIDTH - at), height: 6 }),
  );
}

function caption({ first, end, running, failed }) {
  if (running) return "on its way…";
  if (failed && first >= end) return `ended after ${duration(end)}`;
  return `waited ${duration(first)}, streamed ${duration(end - first)}`;
}
