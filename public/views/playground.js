// The playground: ask any model, see the answer as it comes, and what the gateway did for it.
//
// It is built once and kept, so that an answer goes on streaming while another view is looked at.

import { h } from "../lib/dom.js";
import { Composer } from "./playground/composer.js";
import { Conversation } from "./playground/conversation.js";
import { Ledger } from "./playground/ledger.js";
import { Settings } from "./playground/settings.js";

let built = null;

export function render(_path, query) {
  built ??= build();
  if (query.has("model")) built.settings.choose(query.get("model"));
  built.settings.refresh();
  return { element: built.element };
}

function build() {
  const settings = new Settings();
  const book = new Ledger();
  const talk = new Conversation(settings, book);
  const desk = new Composer(settings, talk);
  talk.ondraft = (words) => desk.write(words);
  book.ofCall(() => ({ settings: settings.all(), turns: talk.turnsToSend(desk.draft()) }));
  const middle = h("section", { class: "talk", "aria-label": "Conversation" }, talk.element, desk.element);
  const title = h("h1", { class: "unseen" }, "Playground");
  const element = h("div", { class: "playground" }, title, settings.element, middle, book.element);
  return { element, settings };
}
