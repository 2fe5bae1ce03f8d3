// One operation of the API: what it takes, what it answers, and an example to run.

import { HERE } from "../../lib/api.js";
import { copyButton } from "../../lib/copy.js";
import { fill, h } from "../../lib/dom.js";
import { markdown } from "../../lib/markdown.js";
import { table } from "../../lib/page.js";
import { exampleOf, resolved, schemaRows } from "./schema.js";

export function operation(one, api) {
  const body = h("div", { class: "operation-body" });
  const open = ({ target }) => {
    if (target.open && !body.childElementCount) fill(body, inside(one, api));
  };
  return h(
    "details",
    { class: "operation", id: `op-${one.operationId}`, "data-words": words(one), ontoggle: open },
    h(
      "summary",
      {},
      h("b", { class: "mono method" }, one.method.toUpperCase()),
      h("code", {}, one.path),
      h("span", { class: "soft" }, one.summary),
    ),
    body,
  );
}

const words = ({ method, path, summary, description }) => [method, path, summary, description].join(" ").toLowerCase();

function inside(one, api) {
  const parameters = [...one.shared, ...(one.parameters ?? [])].map((each) => resolved(each, api));
  const requestBody = resolved(one.requestBody, api);
  return [
    one.description && h("div", { class: "prose" }, markdown(one.description)),
    parameters.length > 0 && titled("Parameters", parameterTable(parameters, api)),
    requestBody && titled("Body", bodies(requestBody.content, api)),
    titled(
      "Answers",
      Object.entries(one.responses).map(([status, each]) => answer(status, resolved(each, api), api)),
    ),
    titled("Example", example(one, requestBody, parameters)),
  ];
}

const titled = (title, ...children) => h("section", {}, h("h3", {}, title), children);

const parameterTable = (parameters, api) =>
  table(
    "Parameters",
    [
      ["Name", ({ name, required }) => [name, required && h("span", { class: "bad" }, " *")], "mono"],
      ["In", (each) => each.in],
      ["Type", ({ schema }) => typeName(resolved(schema, api)), "mono"],
      [
        "",
        ({ description, schema }) =>
          h("div", { class: "prose small" }, markdown(description ?? resolved(schema, api)?.description ?? "")),
      ],
    ],
    parameters,
  );

const typeName = (schema) =>
  schema?.enum ? schema.enum.map(String).join(" | ") : [schema?.type ?? "any"].flat().join(" | ");

function bodies(content = {}, api) {
  return Object.entries(content).map(([kind, { schema }]) =>
    h("div", { class: "media" }, h("p", { class: "mono small" }, kind), schemaTable(schema, api)),
  );
}

function schemaTable(schema, api) {
  const whole = resolved(schema, api);
  const rows = schemaRows(schema, api);
  if (!rows.length) return h("p", { class: "small" }, whole?.description ?? typeName(whole));
  return table(
    "Fields",
    [
      [
        "Field",
        ({ name, depth, required }) =>
          h("span", { class: `depth-${Math.min(depth, 4)}` }, name, required && h("span", { class: "bad" }, " *")),
        "mono",
      ],
      ["Type", ({ type }) => type, "mono"],
      ["", ({ description }) => h("div", { class: "prose small" }, markdown(description))],
    ],
    rows,
  );
}

function answer(status, { description, headers, content }, api) {
  return h(
    "details",
    { class: "answer" },
    h(
      "summary",
      {},
      h("b", { class: "mono" }, status),
      h("span", { class: "prose small" }, markdown(description ?? "")),
    ),
    headers && h("p", { class: "small" }, "Headers: ", h("code", {}, Object.keys(headers).join(", "))),
    bodies(content, api),
  );
}

// --- An example

function example(one, requestBody, parameters) {
  const code = curl(one, requestBody, parameters);
  return h(
    "div",
    { class: "code" },
    h(
      "div",
      { class: "code-bar" },
      h("span", {}, "curl"),
      copyButton("Copy the example", () => code),
    ),
    h("pre", { tabindex: "0", role: "region", "aria-label": "Example" }, h("code", {}, code)),
  );
}

function curl({ method, path, tags }, requestBody, parameters) {
  const content = requestBody?.content ?? {};
  const json = content["application/json"] && exampleOf(content["application/json"]);
  const form = !json && content["multipart/form-data"];
  const filled = path.replace(
    /\{(\w+)\}/g,
    (_, name) => exampleValue(parameters.find((each) => each.name === name)) ?? `{${name}}`,
  );
  const key = tags?.includes("Administration") ? "ADMIN_TOKEN" : "GATEWAY_KEY";
  const parts = [
    `curl ${method === "get" || json || form ? "" : `-X ${method.toUpperCase()} `}'${HERE}${filled}'`,
    `-H "authorization: Bearer $${key}"`,
    json && `-H 'content-type: application/json'`,
    json && `-d '${JSON.stringify(json, null, 2).replace(/'/g, `'\\''`)}'`,
    form && `-F 'file=@picture.jpg'`,
  ];
  return parts.filter(Boolean).join(" \\\n  ");
}

const exampleValue = (parameter) =>
  parameter?.example ??
  parameter?.schema?.example ??
  parameter?.schema?.default ??
  Object.values(parameter?.examples ?? {})[0]?.value ??
  parameter?.schema?.enum?.[0];
