// The API reference, drawn from the OpenAPI document that the gateway serves.

import { askJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { markdown } from "../lib/markdown.js";
import { page, trouble, waiting } from "../lib/page.js";
import { operation } from "./reference/operation.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

export function render(path) {
  const place = h("div", {}, waiting());
  const element = page(
    "API reference",
    h(
      "span",
      {},
      "Every address of this gateway, from its own ",
      h("a", { href: "/openapi.json" }, "OpenAPI document"),
      ". Any SDK of OpenAI, Anthropic or Google speaks it already.",
    ),
    place,
  );
  load(place, path[0]);
  return { element };
}

async function load(place, wanted) {
  const described = await askJson("/openapi.json", { as: "nobody" }).catch((failure) => failure);
  if (described instanceof Error)
    return fill(
      place,
      trouble(described, { absent: "This gateway serves no OpenAPI document.", again: () => load(place, wanted) }),
    );
  fill(place, reference(described));
  const chosen = wanted && document.getElementById(`op-${wanted}`);
  if (!chosen) return;
  chosen.open = true;
  chosen.scrollIntoView();
  chosen.querySelector("summary").focus({ preventScroll: true });
}

function reference(api) {
  const groups = grouped(api);
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: "path or words",
    autocomplete: "off",
    oninput: () => filter(search.value, sections),
  });
  const sections = h(
    "div",
    {},
    groups.map(({ tag, operations }) => group(tag, operations, api)),
  );
  return [
    h(
      "details",
      { class: "prose intro" },
      h("summary", {}, "How it is laid out"),
      markdown(api.info?.description ?? ""),
    ),
    h("p", { class: "field narrow" }, h("label", { for: "search" }, "Search"), search),
    sections,
  ];
}

/** Operations by their first tag, in the order that the document gives the tags. */
function grouped(api) {
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      method,
      path,
      shared: item.parameters ?? [],
      ...item[method],
    })),
  );
  const tags = [...(api.tags ?? []), { name: "Other" }];
  const of = ({ name }) => all.filter((one) => (one.tags?.[0] ?? "Other") === name);
  return tags.map((tag) => ({ tag, operations: of(tag) })).filter(({ operations }) => operations.length);
}

const group = (tag, operations, api) =>
  h(
    "section",
    { class: "part" },
    h("h2", {}, tag.name),
    tag.description && h("p", { class: "soft" }, tag.description),
    h(
      "div",
      { class: "operations" },
      operations.map((one) => operation(one, api)),
    ),
  );

function filter(text, sections) {
  const wanted = text.toLowerCase().split(/\s+/);
  for (const section of sections.children) {
    const operations = [...section.querySelectorAll(".operation")];
    for (const one of operations) one.hidden = !wanted.every((word) => one.dataset.words.includes(word));
    section.hidden = operations.every((one) => one.hidden);
  }
}
