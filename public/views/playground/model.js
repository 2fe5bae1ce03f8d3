// Which model is asked: of which service, by which name, and where that would go.

import { field, fill, h, unique } from "../../lib/dom.js";
import { modelList } from "../../lib/models.js";
import { routeLine } from "./route.js";

export class ModelChoice {
  #models = modelList();
  #service = h("select", { onchange: () => this.#changed() });
  #names = h("datalist", { id: unique("models") });
  #name = h("input", {
    class: "mono",
    list: this.#names.id,
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
    oninput: () => this.#tellRoute(),
  });
  #listed = h("p", { class: "hint" });
  #route = routeLine();
  #format = "chat";

  constructor() {
    const name = h(
      "div",
      { class: "field" },
      field("Model", this.#name),
      this.#names,
      this.#route.element,
      this.#listed,
    );
    this.elements = [field("Service", this.#service), name];
    addEventListener("keyschanged", () => {
      this.#models.forget();
      this.refresh();
    });
  }

  /** With the service before it, where one was chosen and the name does not begin with it already. */
  full() {
    const [service, name] = [this.#service.value, this.#name.value.trim()];
    return !service || !name || name.startsWith(`${service}/`) ? name : `${service}/${name}`;
  }

  /** Lists what there is to choose from, and proposes one where none was named. */
  async refresh() {
    const told = await this.#models.load();
    const services = this.#models.services();
    const before = this.#service.value;
    fill(
      this.#service,
      services.map(([value, label]) => h("option", { value }, label)),
    );
    this.#service.value = services.some(([value]) => value === before) ? before : "";
    if (!this.#name.value) this.#name.value = this.#models.first();
    this.#listed.textContent = told ?? "";
    this.#changed();
  }

  choose(name) {
    this.#service.value = "";
    this.#name.value = name;
    this.#changed();
  }

  /** The route depends on the format that is asked in. */
  askIn(format) {
    this.#format = format;
    this.#tellRoute();
  }

  focus() {
    this.#name.focus();
  }

  #changed() {
    fill(
      this.#names,
      this.#models.of(this.#service.value).map((id) => h("option", { value: id })),
    );
    this.#tellRoute();
  }

  #tellRoute() {
    this.#route.tell(this.full(), this.#format);
  }
}
