// The conversation: who said what, in order, and the one call that may be on its way.

import { fill, h } from "../../lib/dom.js";
import { bytes } from "../../lib/format.js";
import { FORMATS } from "../../lib/formats.js";
import { AnswerTurn } from "./turn.js";
import { welcome } from "./welcome.js";

export class Conversation {
  #turns = [];
  #run = null;
  #list = h("div", { class: "turns" });
  #welcome = welcome((words, model) => this.#propose(words, model));
  #settings;
  #ledger;

  constructor(settings, ledger) {
    this.#settings = settings;
    this.#ledger = ledger;
    settings.onlisted = (models) => this.#welcome.offerDemos(models.has("demo/demo"));
    this.element = h("div", { class: "conversation" }, this.#welcome.element, this.#list);
  }

  /** Hears of words that were proposed for a question. */
  ondraft() {}

  /** Hears whether a call is on its way, and whether anything was said. */
  onrun() {}

  isRunning() {
    return this.#run !== null;
  }

  /** Asks, and shows the answer as it comes. */
  async ask(question) {
    if (this.isRunning()) return;
    this.#turns.push({ role: "user", ...question });
    this.#list.append(asked(question));
    await this.#answer();
  }

  stop() {
    this.#run?.abort();
  }

  clear() {
    this.stop();
    this.#turns = [];
    fill(this.#list);
    this.#ledger.show(null);
    this.#mark();
  }

  /** What would be sent next; where nothing was written, what was sent last. */
  turnsToSend(draft) {
    const said = sendable(this.#turns);
    if (draft.text || draft.pictures.length) return [...said, { role: "user", ...draft }];
    const last = said.findLastIndex((turn) => turn.role === "user");
    return last >= 0 ? said.slice(0, last + 1) : [{ role: "user", text: "Write a story" }];
  }

  async #answer() {
    const all = this.#settings.all();
    const before = sendable(this.#turns);
    const turn = new AnswerTurn(all, {
      show: (chosen) => this.#ledger.show(chosen),
      changed: (turn) => this.#ledger.changed(turn),
      again: (failed) => this.#again(failed),
    });
    const run = new AbortController();
    this.#run = run;
    this.#turns.push(turn.said);
    this.#list.append(turn.element);
    turn.element.scrollIntoView({ block: "nearest" });
    this.#mark();
    await turn.stream({ ...FORMATS[all.format].body(all, before), ...all.extra }, run);
    if (this.#run === run) this.#run = null;
    this.#mark();
  }

  /** The last question once more: its answer failed. */
  #again(turn) {
    if (this.isRunning()) return;
    turn.element.remove();
    const at = this.#turns.indexOf(turn.said);
    if (at >= 0) this.#turns.splice(at);
    this.#answer();
  }

  #propose(words, model) {
    if (model) this.#settings.choose(model);
    this.ondraft(words);
  }

  #mark() {
    this.#welcome.element.hidden = this.#turns.length > 0;
    this.onrun(this.isRunning(), this.#turns.length > 0);
  }
}

/** Without answers that never came, which providers refuse. */
const sendable = (turns) => turns.filter((turn) => turn.text || turn.pictures?.length);

function asked({ text, pictures }) {
  const shots = pictures.map(({ preview, name, after }) =>
    h("img", { src: preview, alt: `${name}, ${bytes(after.bytes)}` }),
  );
  return h(
    "article",
    { class: "turn mine", "aria-label": "You" },
    h("p", { class: "who" }, "You"),
    text && h("p", { class: "said", dir: "auto" }, text),
    shots.length > 0 && h("div", { class: "shots" }, shots),
  );
}
