// What calls come to, by model, service, token or whatever is asked, as a table that can be taken away as CSV.

import { tokenNames } from "../../lib/admin.js";
import { ask, askJson } from "../../lib/api.js";
import { fill, h, segments } from "../../lib/dom.js";
import { count, duration, money, percent, short } from "../../lib/format.js";
import { part, table, trouble, waiting } from "../../lib/page.js";
import { say } from "../../lib/say.js";

const GROUPS = [
  ["model", "Model"],
  ["service", "Service"],
  ["token", "Token"],
  ["session", "Session"],
  ["day", "Day"],
  ["status", "Status"],
  ["outcome", "Outcome"],
];
/** By what the page can be narrowed, as the API can. */
export const FILTERS = ["model", "service", "token", "session", "status"];
let group = "model";

export function breakdown(place, { query, narrow }, signal) {
  const rows = h("div", {}, waiting());
  const trouble_ = h("div", {});
  const choose = (chosen) => {
    group = chosen;
    load();
  };
  const csv = h(
    "button",
    { type: "button", onclick: () => download().catch((failure) => fill(trouble_, trouble(failure, {}))) },
    "CSV",
  );
  fill(
    place,
    part("Broken down", h("div", { class: "bar" }, segments("Group by", GROUPS, group, choose), csv), trouble_, rows),
  );

  async function load() {
    const wanted = group;
    const [report, names] = await Promise.all([
      askJson(`/admin/usage?${query(wanted)}`, { as: "admin", signal }).catch((failure) => failure),
      wanted === "token" ? tokenNames() : new Map(),
    ]);
    if (signal.aborted || wanted !== group) return;
    fill(rows, report instanceof Error ? trouble(report, { again: load }) : account(report, wanted, { narrow, names }));
  }

  async function download() {
    const reply = await ask(`/admin/usage?${query(group, { format: "csv" })}`, { as: "admin" });
    const url = URL.createObjectURL(await reply.blob());
    const name = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1] ?? "usage.csv";
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    say(`${name} was downloaded.`);
  }

  load();
}

function account({ rows, rows_left_out: more }, by, { narrow, names }) {
  if (!rows.length)
    return h(
      "p",
      { class: "empty" },
      "No call in this span. Make one in the ",
      h("a", { href: "#/playground" }, "playground"),
      ", or point a client here.",
    );
  const most = Math.max(...rows.map(({ calls }) => calls));
  const title = GROUPS.find(([name]) => name === by)[1];
  const columns = [
    [title, (row) => [nameOf(names, row[by]), name(row[by], by, narrow)], "mono"],
    ["", ({ calls }) => bar(calls / most), "share"],
    ["Calls", ({ calls }) => count(calls), "number"],
    ["Failed", ({ errors, calls }) => (errors ? percent(errors, calls) : "0"), "number"],
    ["Tokens in", (row) => short(row.tokens_in), "number"],
    ["out", (row) => short(row.tokens_out), "number"],
    ["Cost", costOf, "number"],
    ["First byte p50", (row) => duration(row.first_byte_ms?.p50), "number"],
    ["p90", (row) => duration(row.first_byte_ms?.p90), "number"],
    ["p99", (row) => duration(row.first_byte_ms?.p99), "number"],
  ];
  return [
    table(`Usage by ${title.toLowerCase()}`, columns, rows),
    more > 0 && h("p", { class: "small" }, `${count(more)} rows more are in the CSV.`),
  ];
}

/** What people call a token, before its id. */
const nameOf = (names, id) => names.get(id) && `${names.get(id)} `;

function name(value, by, narrow) {
  if (value === null || value === undefined) return h("span", { class: "soft" }, "none");
  if (!FILTERS.includes(by)) return String(value);
  return h(
    "button",
    { type: "button", class: "link", title: "Only these", onclick: () => narrow({ [by]: String(value) }) },
    String(value),
  );
}

const costOf = (row) => (row.cost_unknown === row.calls ? "–" : `${money(row.cost)}${row.cost_unknown ? " +" : ""}`);

/** A share of the largest, as a bar; the number beside it says the same. */
function bar(share) {
  const filled = h("i", { class: "share-bar", "aria-hidden": "true" });
  filled.style.width = `${Math.max(1, share * 100)}%`;
  return filled;
}
