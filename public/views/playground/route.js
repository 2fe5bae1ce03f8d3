// Tells where a call would go before it is made.

import { askJson } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { FORMATS } from "../../lib/formats.js";

const PAUSE_MS = 350; // why: nobody wants an answer for every letter of a name

export function routeLine() {
  const element = h("p", { class: "hint route", "aria-live": "off" });
  let timer = 0;
  let last = "";

  function tell(model, format) {
    const asked = `model=${encodeURIComponent(model)}&path=${FORMATS[format].path}&stream=true`;
    if (asked === last) return;
    last = asked;
    clearTimeout(timer);
    if (!model) return fill(element, "Name a model.");
    timer = setTimeout(() => look(asked, format), PAUSE_MS);
  }

  async function look(asked, format) {
    const words = await askJson(`/v1/route-check?${asked}`).then(
      (told) => routeWords(told, format),
      (failure) => [failure.message],
    );
    if (asked === last) fill(element, words);
  }

  return { element, tell };
}

function routeWords({ targets = [] }, format) {
  const told = targets.map((target) => targetWords(target, format));
  return told.flatMap((words, i) => (i ? [", else ", ...words] : ["Goes to ", ...words]));
}

function targetWords({ target, format, key, cooling_down: cooling }, asked) {
  const notes = [
    format === asked ? "untranslated" : `as ${format}`,
    key === "none" && "no key",
    cooling && "cooling down",
  ].filter(Boolean);
  return [h("code", {}, target), ` (${notes.join(", ")})`];
}
