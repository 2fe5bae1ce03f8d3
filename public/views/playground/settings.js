// What a call is made with: the model, the format, the options.

import { h, segments } from "../../lib/dom.js";
import { FORMATS } from "../../lib/formats.js";
import { ModelChoice } from "./model.js";
import { Options } from "./options.js";

const WIDE = "(min-width: 62rem)"; // why: below, the settings stand over the conversation and would fill the screen

export class Settings {
  #format = "chat";
  #model = new ModelChoice((models) => this.onlisted(models));
  #options = new Options();

  constructor() {
    const names = Object.entries(FORMATS).map(([name, { label }]) => [name, label]);
    const formats = segments("Format of the call", names, this.#format, (format) => this.#askIn(format));
    const stack = h("div", { class: "stack" }, this.#model.elements, formats, this.#options.elements);
    this.element = h(
      "aside",
      { class: "settings", "aria-label": "Settings of the call" },
      h("details", { open: matchMedia(WIDE).matches }, h("summary", {}, h("h2", {}, "The call")), stack),
    );
  }

  /** Hears of the models there are. */
  onlisted() {}

  all() {
    return { format: this.#format, model: this.#model.full(), ...this.#options.values() };
  }

  /** Why a call cannot be made with these; null where it can. */
  problem() {
    return this.#model.full() ? this.#options.problem() : "Name a model first.";
  }

  /** Leads whoever sent to where the problem is. */
  focus() {
    this.element.firstElementChild.open = true;
    if (!this.#model.full()) this.#model.focus();
  }

  refresh() {
    return this.#model.refresh();
  }

  choose(model) {
    this.#model.choose(model);
  }

  #askIn(format) {
    this.#format = format;
    this.#options.showFor(format);
    this.#model.askIn(format);
  }
}
