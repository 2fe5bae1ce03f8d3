// What a newcomer sees first: what this is, and something to press.

import { HERE } from "../../lib/api.js";
import { h } from "../../lib/dom.js";

const IDEAS = [
  ["Write a story", "Write a story"],
  [
    "A table, a list and some code",
    'Repeat this:\n\n## Two lanes\n\n| lane | for |\n|---|---|\n| edge | streams, small bodies |\n| background | files, images, embeddings |\n\n1. **One** base URL\n2. `x-processing-mode` says which\n\n```js\nawait fetch("/v1/models")\n```',
  ],
];
const DEMOS = [
  ["What thinking looks like", "Think about it, then write a story", "demo/demo-thinking"],
  ["What an error looks like", "This one is asked too often", "demo/demo-error-429"],
  ["What a cut stream looks like", "Write a story", "demo/demo-cut"],
];

/** `choose` takes the words, and the model that the idea is for; `offerDemos` says whether there is a demo to try. */
export function welcome(choose) {
  const idea = ([label, words, model]) =>
    h("li", {}, h("button", { type: "button", class: "link", onclick: () => choose(words, model ?? null) }, label));
  const demos = h("div", { hidden: true }, h("h2", {}, "Try with the demo provider"), h("ul", {}, DEMOS.map(idea)));
  const offerDemos = (there) => (demos.hidden = !there);
  const element = h(
    "div",
    { class: "welcome" },
    h("p", { class: "promise" }, "Every model behind ", h("em", {}, "one base URL"), ", in your own cloud."),
    h(
      "p",
      { class: "soft" },
      "Ask something below. The answer streams through this gateway, and beside it stands what the gateway did: which lane it took and why, when the first byte came, what it cost. Your programs do the same at ",
      h("code", {}, `${HERE}/v1`),
      ".",
    ),
    h("div", { class: "ideas" }, h("div", {}, h("h2", {}, "Try"), h("ul", {}, IDEAS.map(idea))), demos),
  );
  return { element, offerDemos };
}
