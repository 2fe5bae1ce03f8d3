// Which model is asked: of which service, by which name, and where that would go.

import { wantsKey } from "../../lib/api.js";
import { field, fill, h, unique } from "../../lib/dom.js";
import { modelList } from "../../lib/models.js";
import { routeLine } from "./route.js";

export class ModelChoice {
  #models = modelList();
  #service = h("select", { onchange: () => this.#ofService() });
  #names = h("datalist", { id: unique("models") });
  #name = h("input", {
    class: "mono",
    id: unique("model"),
    list: this.#names.id,
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
    oninput: () => this.#tellRoute(),
  });
  #listed = h("p", { class: "hint" });
  #route = routeLine();
  #format = "chat";
  #last = ""; // the whole name, as it was told last

  /** `listed` hears of the models whenever they are listed. */
  constructor(listed) {
    this.listed = listed;
    const name = h(
      "div",
      { class: "field" },
      h("label", { for: this.#name.id }, "Model"),
      h("div", { class: "with-button" }, this.#name, allButton(this.#name)),
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
    fill(this.#listed, told instanceof Error ? unlisted(told) : told);
    this.listed(this.#models);
    this.#changed();
  }

  /** A name of another service would be none of this one. */
  #ofService() {
    const [service, name] = [this.#service.value, this.#name.value.trim()];
    const own = this.#models.of(service);
    const bare = name.startsWith(`${service}/`) ? name.slice(service.length + 1) : name;
    if (service && this.#models.has(this.#last) && !own.includes(bare)) this.#name.value = own[0] ?? "";
    if (!service) this.#name.value = this.#last;
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
    this.#last = this.full();
    this.#route.tell(this.full(), this.#format);
  }
}

/** Shows all there are: a browser by itself proposes only what is like the name that stands there already. */
function allButton(input) {
  const show = () => {
    const before = input.value;
    input.value = "";
    input.focus();
    input.showPicker?.();
    input.addEventListener("blur", () => (input.value ||= before), { once: true });
  };
  return h("button", { type: "button", "aria-label": "All models", onclick: show }, "▾");
}

/** Why there are none to choose from, and what to do. */
function unlisted(failure) {
  if (!wantsKey(failure)) return `Models cannot be listed: ${failure.message}`;
  const enter = () => dispatchEvent(new CustomEvent("wantkeys", { detail: failure.message }));
  return [h("button", { type: "button", class: "link", onclick: enter }, "Enter a key"), " to see which models there are."];
}
