// One call in full, as the usage log has it.

import { askJson } from "../../lib/api.js";
import { copyButton } from "../../lib/copy.js";
import { facts, fill, h } from "../../lib/dom.js";
import { bytes, count, duration, money, moment } from "../../lib/format.js";
import { page, part, trouble, waiting } from "../../lib/page.js";

export function callPage(id) {
  const place = h("div", {}, waiting());
  const element = page("A call", h("code", {}, id), h("p", {}, h("a", { href: "#/usage" }, "← all calls")), place);
  load();
  return { element };

  async function load() {
    const record = await askJson(`/admin/calls/${encodeURIComponent(id)}`, { as: "admin" }).catch((failure) => failure);
    const absent = "The log has no such call: it has not ended yet, was too long ago, or the log is not open here.";
    fill(place, record instanceof Error ? trouble(record, { absent, again: load }) : account(record));
  }
}

function account(record) {
  const { request, response, ...numbers } = record;
  const json = JSON.stringify(numbers, null, 2);
  const whole = h("pre", { class: "block", tabindex: "0" }, h("code", {}, json));
  return [
    h("div", { class: "columns" }, asked(record), cameOfIt(record), spent(record)),
    message("Request", request),
    message("Response", response),
    h(
      "details",
      { class: "part" },
      h("summary", {}, "The record as JSON"),
      copyButton("Copy the record", () => json),
      whole,
    ),
  ];
}

const asked = (record) =>
  part(
    "What was asked",
    facts([
      ["When", moment(record.time)],
      ["Model", record.model],
      ["Service", record.service],
      ["Method", record.method],
      ["Stream", yesNo(record.stream)],
      ["Token", record.token_name ?? record.token],
      ["Session", record.session],
      ["Sent", bytes(record.bytes_in)],
    ]),
  );

const cameOfIt = (record) =>
  part(
    "What came of it",
    facts([
      ["Status", record.status],
      ["Outcome", record.outcome],
      ["Error", record.error],
      ["Lane", record.lane],
      ["Served by", record.provider],
      ["Model that answered", record.model_served],
      ["Attempts", record.attempts],
      ["Fell back from", record.fallbacks?.join("; ")],
      ["Received", bytes(record.bytes_out)],
    ]),
  );

const spent = (record) =>
  part(
    record.estimated ? "Time, tokens and cost, estimated" : "Time, tokens and cost",
    facts([
      ["First byte", duration(record.first_byte_ms)],
      ["Whole", duration(record.total_ms)],
      ["In", count(record.tokens_in)],
      ["of which cached", count(record.tokens_cached)],
      ["Out", count(record.tokens_out)],
      ["of which reasoning", count(record.tokens_reasoning)],
      ["Cost", record.cost === null ? "no price known" : money(record.cost)],
    ]),
  );

const yesNo = (value) => (value === true ? "yes" : value === false ? "no" : null);

/** A body, which is there only where the operator keeps them. */
function message(title, kept) {
  if (!kept) return null;
  const body = typeof kept.body === "string" ? kept.body : JSON.stringify(kept.body, null, 2);
  const headers = Object.entries(kept.headers ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
  return part(
    kept.truncated ? `${title}, its beginning` : title,
    headers && h("pre", { class: "block", tabindex: "0" }, h("code", {}, headers)),
    h("pre", { class: "block", tabindex: "0" }, h("code", {}, body ?? "")),
  );
}
