// What the gateway did for a call, and the same call for a program.

import { told } from "../../lib/answer.js";
import { copyButton } from "../../lib/copy.js";
import { facts, fill, h, segments } from "../../lib/dom.js";
import { duration, money, tokens } from "../../lib/format.js";
import * as keys from "../../lib/keys.js";
import { LANGUAGES, snippet } from "../../lib/snippets.js";
import { rails } from "./rails.js";

export class Ledger {
  #language = "curl";
  #call = () => null;
  #shown = null;
  #figure = h("div", {}, rails(null));
  #facts = h("div", {}, nothing());
  #code = h("code", {});
  #asCode = h("details", { class: "as-code", ontoggle: () => this.#write() }, h("summary", {}, h("h2", {}, "As code")));

  constructor() {
    const languages = segments("Language", LANGUAGES, this.#language, (chosen) => {
      this.#language = chosen;
      this.#write();
    });
    this.#asCode.append(
      h(
        "div",
        { class: "bar" },
        languages,
        copyButton("Copy the code", () => this.#written()),
      ),
      h("pre", { tabindex: "0", role: "region", "aria-label": "The call as code" }, this.#code),
    );
    const title = h("h2", {}, "What the gateway did");
    this.element = h(
      "aside",
      { class: "ledger", "aria-label": title.textContent },
      title,
      this.#figure,
      this.#facts,
      this.#asCode,
    );
    document.addEventListener("input", () => this.#write());
  }

  /** Takes what gives the settings and turns of the next call. */
  ofCall(get) {
    this.#call = get;
  }

  /** Shows what was done for an answer; null shows none. */
  show(turn) {
    this.#shown = turn;
    this.#draw(turn);
  }

  /** More is known of an answer; another one that somebody chose to look at stays. */
  changed(turn) {
    if (turn === this.#shown) this.#draw(turn);
  }

  #draw(turn) {
    fill(this.#figure, rails(turn));
    fill(this.#facts, turn ? account(turn) : nothing());
    this.#write();
  }

  #write() {
    if (this.#asCode.open) this.#code.textContent = this.#written();
  }

  #written() {
    const { settings, turns } = this.#call();
    const { format, extra } = settings;
    return snippet(this.#language, { format, settings, turns, extra, hasKey: Boolean(keys.caller()) });
  }
}

const nothing = () => h("p", { class: "hint" }, "Lane, timing, tokens, cost and retries of each answer stand here.");

function account({ answer, failed, record, model }) {
  const said = told(failed?.headers ?? answer.headers);
  return facts([
    ["Lane", said.lane && `${said.lane} · ${said.why}`],
    ["Served by", said.served ?? (said.lane && !failed ? model : null)],
    ["Fell back from", said.fallbacks],
    ["Left out", said.dropped],
    ["Attempts", said.attempts],
    ["First byte", answer.times.head !== null ? duration(answer.times.head) : null],
    ["First word", answer.times.text !== null ? duration(answer.times.text) : null],
    ["Speed", speed(answer)],
    ["Tokens", answer.usage && tokens(answer.usage)],
    ["Cost", costOf(record)],
    ["Limit leaves", said.left],
    ["In all", answer.times.end !== null ? duration(answer.times.end) : null],
    ["Request", said.id && requestId(said.id, record)],
  ]);
}

function speed({ usage, times }) {
  const streaming = times.end - times.text;
  if (!usage?.out || times.end === null || times.text === null || streaming < 20) return null;
  return `${Math.round((1000 * usage.out) / streaming)} tokens/s`;
}

function costOf(record) {
  if (!record) return null;
  return record.cost === null || record.cost === undefined
    ? "no price known"
    : `${money(record.cost)}${record.estimated ? " (estimated)" : ""}`;
}

function requestId(id, record) {
  return record ? h("a", { href: `#/usage/calls/${encodeURIComponent(id)}` }, id) : id;
}
