// One answer in the conversation: drawn while it comes, and how it ended.

import { Answer, recordOf, told } from "../../lib/answer.js";
import { Failure, wantsKey } from "../../lib/api.js";
import { copyButton } from "../../lib/copy.js";
import { fill, h } from "../../lib/dom.js";
import { duration, plural } from "../../lib/format.js";
import { Growing } from "../../lib/markdown.js";
import { Reader } from "../../lib/say.js";

const LIMIT = "cut at the limit";
const STOPS = {
  length: LIMIT,
  max_tokens: LIMIT,
  max_output_tokens: LIMIT,
  content_filter: "stopped by the provider’s rules",
  refusal: "refused",
};

export class AnswerTurn {
  said = { role: "assistant", text: "" };
  failed = null;
  record = null;
  #state = h("span", { class: "state" }, "waiting…");
  #thought = h("div", { class: "said soft", dir: "auto" });
  #thinking = h("details", { class: "thinking", hidden: true }, h("summary", {}, "Thinking"), this.#thought);
  #text = h("div", { class: "said prose", "aria-busy": "true" });
  #tools = h("div", { class: "tools-called" });
  #foot = h("p", { class: "foot", hidden: true });
  #growing = new Growing(this.#text);
  #reader = new Reader();
  #draw = paced(() => this.#drawNow());

  /** `show` shows what the gateway did for it, `changed` where that is shown already, `again` asks once more. */
  constructor({ model, format }, { show, changed, again }) {
    Object.assign(this, { model, format, show, changed, again });
    this.answer = new Answer((what, more) => this.#changed(what, more));
    this.who = h("span", {}, model);
    this.element = h(
      "article",
      { class: "turn", "aria-label": `Answer of ${model}` },
      h("p", { class: "who" }, this.who, this.#state),
      this.#thinking,
      this.#text,
      this.#tools,
      this.#foot,
    );
  }

  /** Asks with this body; returns once the answer has ended, however it did. */
  async stream(body, run) {
    this.element.dataset.state = "running";
    this.show(this);
    this.failed = await this.answer.stream(this.format, body, run.signal).then(
      () => null,
      (cause) => cause,
    );
    run.abort(); // why: after an error within the stream the connection is still open
    this.answer.end();
    this.#draw.now();
    this.#finish();
    this.#keepRecord();
  }

  #changed(what, more) {
    if (what === "text") {
      this.said.text = this.answer.text;
      this.#reader.hear(more);
    }
    if (what === "thought") this.#thinking.hidden = false;
    if (what === "head") {
      this.#state.textContent = "streaming";
      this.who.textContent = told(this.answer.headers).served ?? this.model;
    }
    this.#draw();
  }

  #drawNow() {
    this.#growing.show(this.answer.text);
    this.#thought.textContent = this.answer.thought;
    fill(
      this.#tools,
      this.answer.tools.map((call) => h("pre", { tabindex: "0" }, h("code", {}, `${call.name}(${call.arguments})`))),
    );
    this.changed(this);
    follow(this.element);
  }

  #finish() {
    const words = endWords(this);
    this.#text.setAttribute("aria-busy", "false");
    this.#state.textContent = words.short;
    if (words.long) this.#foot.before(failure(this, words.long));
    const look = h(
      "button",
      { type: "button", class: "quiet", onclick: () => this.show(this) },
      "What the gateway did",
    );
    fill(this.#foot, this.said.text && copyButton("Copy this answer", () => this.said.text), look);
    this.#foot.hidden = false;
    this.element.dataset.state = stateOf(this.failed);
    this.#reader.end(words.long ?? words.short);
    follow(this.element);
  }

  /** Cost is known to the usage log, where it is kept and open to this caller. */
  async #keepRecord() {
    const { id } = told(this.failed?.headers ?? this.answer.headers);
    this.record = id && (await recordOf(id));
    if (this.record) this.changed(this);
  }
}

// --- How it ended

function stateOf(failed) {
  if (!failed) return "complete";
  return failed.name === "AbortError" ? "stopped" : "failed";
}

/** The end in a few words, and in a sentence where something is wrong. */
function endWords({ answer, failed }) {
  const after = duration(answer.times.end);
  if (failed?.name === "AbortError") return { short: `stopped after ${after}` };
  if (failed instanceof Failure)
    return { short: failed.status ? `failed with ${failed.status}` : "failed", long: failed.message };
  if (failed) return { short: "broken", long: `The connection broke after ${after}, so the answer is incomplete.` };
  if (!answer.done)
    return { short: "incomplete", long: `The stream ended after ${after} without saying that it was complete.` };
  const tokens = answer.usage?.out && plural(answer.usage.out, "token");
  return { short: [STOPS[answer.stop] ?? "complete", after, tokens].filter(Boolean).join(" · ") };
}

function failure(turn, words) {
  const { failed } = turn;
  const id = failed?.requestId ?? told(turn.answer.headers).id;
  const facts = [failed?.code, id && `request ${id}`].filter(Boolean).join(" · ");
  const enter = () => dispatchEvent(new CustomEvent("wantkeys", { detail: words }));
  return h(
    "div",
    { class: "notice failed", role: "alert" },
    h("p", {}, words),
    facts && h("p", { class: "small mono" }, facts),
    h(
      "p",
      { class: "actions" },
      wantsKey(failed) && h("button", { type: "button", class: "primary", onclick: enter }, "Enter a key"),
      h("button", { type: "button", class: "again", onclick: () => turn.again(turn) }, "Try again"),
    ),
  );
}

// --- Drawing

/** Draws soon, and more rarely where drawing takes long. */
function paced(draw) {
  let waiting = 0;
  let pause = 40;
  const now = () => {
    clearTimeout(waiting);
    waiting = 0;
    const began = performance.now();
    draw();
    pause = Math.max(40, 6 * (performance.now() - began));
  };
  const soon = () => {
    waiting ||= setTimeout(now, pause);
  };
  return Object.assign(soon, { now });
}

/** Keeps the end in view for whoever is looking at it; whoever scrolled up to read is left alone. */
function follow(element) {
  const composer = document.querySelector(".composer")?.offsetHeight ?? 0;
  const below = element.getBoundingClientRect().bottom - innerHeight + composer + 24;
  if (below > 0 && below < 160) scrollBy({ top: below, behavior: "instant" });
}
