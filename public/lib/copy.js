// Copies text, also where the browser has no clipboard for pages.

import { h } from "./dom.js";
import { say } from "./say.js";

/** A button that copies what `text()` gives when it is pressed. */
export function copyButton(label, text, words = "Copy") {
  const button = h("button", { type: "button", class: "quiet", "aria-label": label }, words);
  button.addEventListener("click", async () => {
    const copied = await copyText(await text());
    button.textContent = copied ? "Copied" : "Failed";
    say(copied ? "Copied." : "The browser did not allow copying.");
    setTimeout(() => {
      button.textContent = words;
    }, 1600);
  });
  return button;
}

/** Copies; whether that worked. */
export async function copyText(text) {
  // why: a page opened over plain http from another computer has no clipboard API
  if (!navigator.clipboard) return copyBySelection(text);
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => copyBySelection(text),
  );
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const area = h("textarea", { class: "unseen", value: text, "aria-hidden": "true" });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
