// The services: which there are, which the server can call, and a call to see that one works.

import { Answer, told } from "../lib/answer.js";
import { HERE, askJson } from "../lib/api.js";
import { copyButton } from "../lib/copy.js";
import { fill, h, setEnabled, unique } from "../lib/dom.js";
import { duration, plural } from "../lib/format.js";
import { FORMATS } from "../lib/formats.js";
import { modelList } from "../lib/models.js";
import { keyed, page, trouble, waiting } from "../lib/page.js";

const TEST_PATIENCE_MS = 60_000;
const QUESTION = [{ role: "user", text: "Say hello in five words." }];

export function render() {
  const place = h("div", {}, waiting());
  const count = h("p", { class: "small", role: "status" });
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: "alias or host",
    autocomplete: "off",
    oninput: () => filter(place, search.value, count),
  });
  const element = page(
    "Services",
    "Every provider this gateway knows, by the alias that calls name. Those with a key can be called without one of your own.",
    h("div", { class: "bar" }, h("p", { class: "field" }, h("label", { for: "search" }, "Search"), search), count),
    place,
  );
  const view = keyed(place, async (_, left) => {
    await list(place, left);
    filter(place, search.value, count);
  });
  return { element, leave: view.leave };
}

/** Asks anew with every key: it decides whose models are listed. */
async function list(place, left) {
  const models = modelList();
  const [found, health] = await Promise.all([
    askJson("/gateway/services"),
    askJson("/health", { as: "nobody" }).catch(() => ({})),
    models.load(),
  ]).catch((failure) => [failure]);
  if (left.aborted) return;
  if (found instanceof Error) return fill(place, trouble(found, { again: () => list(place, left) }));
  const rows = found.services.map((service) => ({
    ...service,
    ready: health.providers?.[service.alias] === "configured",
    usual: service.alias === found.default,
  }));
  fill(
    place,
    group(
      "Ready",
      rows.filter(({ ready }) => ready),
      models,
    ),
    group(
      "With a key of yours",
      rows.filter(({ ready }) => !ready),
      models,
    ),
  );
}

function filter(place, text, count) {
  const wanted = text.toLowerCase().split(/\s+/);
  const rows = [...place.querySelectorAll("[data-words]")];
  for (const row of rows) row.hidden = !wanted.every((word) => row.dataset.words.includes(word));
  const shown = rows.filter((row) => !row.hidden).length;
  if (!rows.length) count.textContent = "";
  else count.textContent = shown === rows.length ? plural(rows.length, "service") : `${shown} of ${rows.length} services`;
}

function group(title, rows, models) {
  if (!rows.length) return null;
  return h(
    "section",
    { class: "part" },
    h("h2", {}, title),
    h(
      "ul",
      { class: "services" },
      rows.map((row) => service(row, models)),
    ),
  );
}

function service({ alias, host, example, usual }, models) {
  const body = h("div", { class: "service-body" });
  const open = (event) => {
    if (event.target.open && !body.childElementCount) fill(body, inside({ alias, example }, models));
  };
  return h(
    "li",
    { "data-words": `${alias} ${host ?? ""}`.toLowerCase() },
    h(
      "details",
      { ontoggle: open },
      h(
        "summary",
        {},
        h("b", { class: "mono" }, alias),
        h("span", { class: "mono soft" }, host ?? ""),
        usual && h("span", { class: "tag" }, "default"),
      ),
      body,
    ),
  );
}

function inside({ alias, example }, models) {
  const base = `${HERE}/gateway/${alias}`;
  return [
    line(
      "In the one API",
      `${alias}/${models.of(alias)[0] ?? "your-model"}`,
      "names a model of it at ",
      h("code", {}, `${HERE}/v1`),
    ),
    line(
      "Its own API",
      base,
      example && ["before its own paths, such as ", h("code", {}, example.replace(`/gateway/${alias}`, ""))],
    ),
    testCall(alias, models),
  ];
}

const line = (title, value, ...words) =>
  h(
    "div",
    { class: "base" },
    h("span", { class: "small" }, title),
    h("code", {}, value),
    copyButton(`Copy ${value}`, () => value),
    h("span", { class: "small" }, words),
  );

// --- A test call

function testCall(alias, models) {
  const list = unique("models");
  const names = models.of(alias);
  const model = h("input", {
    class: "mono",
    id: unique("model"),
    list,
    value: names[0] ?? "",
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "a model of it",
  });
  const result = h("p", { class: "result", role: "status" });
  const button = h("button", { type: "submit" }, "Test call");
  const form = h(
    "form",
    { class: "test", onsubmit: test },
    h("label", { for: model.id, class: "small" }, "Model"),
    model,
    h(
      "datalist",
      { id: list },
      names.map((value) => h("option", { value })),
    ),
    button,
    h(
      "a",
      {
        class: "button quiet",
        href: "#/playground",
        onclick: (event) => {
          event.target.href = `#/playground?model=${encodeURIComponent(`${alias}/${model.value}`)}`;
        },
      },
      "Open in the playground",
    ),
  );

  async function test(event) {
    event.preventDefault();
    if (!model.value.trim() || button.getAttribute("aria-disabled") === "true") return;
    setEnabled(button, false);
    fill(result, "Calling…");
    fill(result, await verdict(`${alias}/${model.value.trim()}`));
    setEnabled(button, true);
  }

  return h("div", {}, form, result);
}

async function verdict(model) {
  const answer = new Answer(() => {});
  const run = new AbortController();
  const patience = setTimeout(() => run.abort(), TEST_PATIENCE_MS);
  const failed = await answer.stream("chat", FORMATS.chat.body({ model, maxTokens: 64 }, QUESTION), run.signal).then(
    () => null,
    (cause) => cause,
  );
  const tooLong = run.signal.aborted;
  clearTimeout(patience);
  run.abort();
  answer.end();
  if (tooLong) return [h("b", { class: "bad" }, "Failed. "), `It had not ended after ${duration(TEST_PATIENCE_MS)}.`];
  const { lane } = told(failed?.headers ?? answer.headers);
  if (failed)
    return [h("b", { class: "bad" }, failed.status ? `Failed with ${failed.status}. ` : "Failed. "), failed.message];
  return [
    h("b", { class: "good" }, "Works. "),
    `${lane} lane, first word after ${duration(answer.times.text)}, whole after ${duration(answer.times.end)}: `,
    h("q", {}, answer.text.trim().slice(0, 200)),
  ];
}
