// What a model can be told beside the question.

import { field, h } from "../../lib/dom.js";
import { FORMATS } from "../../lib/formats.js";
import { LONGEST } from "../../lib/images.js";

const OWN = "the model’s own";
const EFFORTS = ["", "none", "minimal", "low", "medium", "high"];
const DETAILS = ["", "auto", "low", "high"];
const USUAL_LONGEST = 1568;

export class Options {
  #system = h("textarea", { rows: 3, placeholder: "You are a patient teacher." });
  #temperature = number({ min: 0, max: 2, step: 0.1 });
  #topP = number({ min: 0, max: 1, step: 0.05 });
  #maxTokens = number({ min: 1, step: 1 });
  #effort = select(EFFORTS.map((value) => [value, value || OWN]));
  #detail = select(DETAILS.map((value) => [value, value || OWN]));
  #longest = select(
    LONGEST.map(([pixels, label]) => [pixels ?? "", label]),
    USUAL_LONGEST,
  );
  #further = h("textarea", { class: "mono", rows: 2, spellcheck: "false", placeholder: '{"seed": 7}' });
  #effortField = field("Reasoning effort", this.#effort);

  constructor() {
    const more = h(
      "div",
      { class: "stack" },
      pair(field("Top p", this.#topP), this.#effortField),
      pair(field("Images, longer side", this.#longest), field("Image detail", this.#detail)),
      field("Further fields, as JSON", this.#further, "Merged into the body as they are."),
    );
    this.elements = [
      field("System prompt", this.#system),
      pair(field("Temperature", this.#temperature), field("Max tokens", this.#maxTokens)),
      h("details", { class: "more" }, h("summary", {}, "More"), more),
    ];
  }

  values() {
    return {
      system: this.#system.value.trim(),
      temperature: numberOf(this.#temperature),
      topP: numberOf(this.#topP),
      maxTokens: numberOf(this.#maxTokens),
      effort: this.#effort.value,
      detail: this.#detail.value,
      longest: this.#longest.value === "" ? null : Number(this.#longest.value),
      extra: objectOf(this.#further.value) ?? {},
    };
  }

  /** Why these cannot be sent; null where they can. */
  problem() {
    return objectOf(this.#further.value) ? null : "The further fields are not a JSON object.";
  }

  showFor(format) {
    this.#effortField.hidden = !FORMATS[format].takesEffort;
  }
}

const pair = (...fields) => h("div", { class: "pair" }, fields);
const number = (bounds) => h("input", { type: "number", inputmode: "decimal", placeholder: "default", ...bounds });
const numberOf = (input) => (input.value === "" || !input.validity.valid ? null : input.valueAsNumber);

function select(choices, chosen = "") {
  const list = h(
    "select",
    {},
    choices.map(([value, label]) => h("option", { value }, label)),
  );
  list.value = String(chosen);
  return list;
}

function objectOf(text) {
  if (!text.trim()) return {};
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
