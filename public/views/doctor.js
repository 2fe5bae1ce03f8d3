// The doctor: what is well with this deployment, what to mind, and what to put right.

import { askJson } from "../lib/api.js";
import { facts, fill, h } from "../lib/dom.js";
import { duration, limit, plural } from "../lib/format.js";
import { keyed, page, part, table, trouble, waiting } from "../lib/page.js";

const ORDER = ["wrong", "mind", "good"];
const WORDS = { wrong: "Put right", mind: "Mind", good: "Good" };

export function render() {
  const place = h("div", {});
  const view = keyed(place, examine);
  const element = page(
    "Doctor",
    "What is well with this deployment, what to mind, and what to put right. It names settings, never their values.",
    h("p", { class: "actions" }, h("button", { type: "button", onclick: view.again }, "Examine again")),
    place,
  );
  return { element, leave: view.leave };
}

async function examine(place, left) {
  fill(place, waiting("Examining…"));
  const report = await askJson("/gateway/doctor", { headers: { accept: "application/json" } }).catch(
    (failure) => failure,
  );
  if (left.aborted) return;
  fill(place, report instanceof Error ? trouble(report, { again: () => examine(place, left) }) : account(report));
}

function account(report) {
  const whole = Boolean(report.services);
  return [
    h("p", { class: "verdict" }, verdict(report.findings, whole)),
    h("ul", { class: "findings" }, [...report.findings].sort(byWeight).map(finding)),
    h(
      "div",
      { class: "columns" },
      part(
        "Deployment",
        facts([
          ["Platform", report.platform],
          ["Environment", report.env],
          ["Version", report.version],
          ["Function", report.function],
        ]),
      ),
      part("Limits", limits(report.limits ?? {})),
    ),
    report.settings && part("Settings read", h("p", { class: "mono words" }, report.settings.join("  ") || "none")),
    whole &&
      part(
        "Services",
        table(
          "Services",
          [
            ["Alias", ({ alias }) => alias, "mono"],
            ["Host", ({ host }) => host, "mono"],
            ["Server’s key", ({ key }) => (key ? "yes" : "no")],
          ],
          report.services,
        ),
      ),
  ];
}

const byWeight = (one, other) => ORDER.indexOf(one.weight) - ORDER.indexOf(other.weight);

function verdict(findings, whole) {
  const count = (weight) => findings.filter((one) => one.weight === weight).length;
  if (!whole) return "This is what anybody may know.";
  if (count("wrong")) return `${plural(count("wrong"), "thing")} to put right.`;
  return count("mind") ? `All is well, with ${plural(count("mind"), "thing")} to mind.` : "All is well.";
}

const finding = ({ weight, area, told }) =>
  h(
    "li",
    { "data-weight": weight },
    h("b", {}, WORDS[weight] ?? weight),
    h("span", { class: "mono soft" }, area),
    h("span", {}, told),
  );

function limits(told) {
  const seconds = (value) => (value === null || value === undefined ? null : duration(value * 1000));
  const responses = Object.values(told.response_bytes ?? {});
  return facts([
    ["Largest request", limit(told.request_bytes)],
    ["Larger bodies take the background", limit(told.edge_body_bytes)],
    [
      "Largest response",
      responses.length ? `${limit(Math.min(...responses))} to ${limit(Math.max(...responses))}` : null,
    ],
    ["First byte, edge", seconds(told.edge_first_byte_seconds)],
    ["First byte, background", seconds(told.background_first_byte_seconds)],
    ["Silence within a stream", seconds(told.idle_seconds)],
    ["A whole call", told.call_seconds === null ? "as long as it talks" : seconds(told.call_seconds)],
  ]);
}
