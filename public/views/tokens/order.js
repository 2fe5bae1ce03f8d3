// The order for a token: what it is to grant.

import { sendJson } from "../../lib/api.js";
import { field, h, setEnabled } from "../../lib/dom.js";

/** Text that is a list where it reaches the gateway. */
const LISTS = ["services", "models", "paths", "origins"];
const NUMBERS = ["rpm", "tpm", "streams", "max_tokens"];

/** `made` hears of the token that came of it. */
export function orderForm(made) {
  const failed = h("p", { class: "bad", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, "Make the token");
  return h(
    "form",
    { class: "order", onsubmit: order, autocomplete: "off" },
    usualFields(),
    h("details", { class: "more" }, h("summary", {}, "More"), h("div", { class: "order" }, rarerFields())),
    h("div", { class: "actions" }, button),
    failed,
  );

  async function order(event) {
    event.preventDefault();
    const form = event.currentTarget;
    if (button.getAttribute("aria-disabled") === "true") return;
    for (const wrong of form.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
    failed.textContent = "";
    setEnabled(button, false);
    const answer = await sendJson("/admin/tokens", orderOf(new FormData(form)), { as: "admin" })
      .then((reply) => reply.json())
      .catch((failure) => failure);
    setEnabled(button, true);
    if (answer instanceof Error) return tell(form, answer);
    form.reset();
    made(answer);
  }

  function tell(form, failure) {
    failed.textContent = failure.message;
    const input = [...form.elements].find(({ name }) => name && failure.message.startsWith(name));
    input?.setAttribute("aria-invalid", "true");
    input?.focus();
  }
}

// --- What is asked for

const text = (name, placeholder) => h("input", { name, placeholder, autocomplete: "off", spellcheck: "false" });
const number = (name, placeholder) =>
  h("input", { name, placeholder, type: "number", min: 1, step: 1, inputmode: "numeric" });

const usualFields = () => [
  field("Name", text("name", "alice"), "For people; it grants nothing."),
  field("Ends after", text("expires", "30d"), "Such as 1h, 30d, 1y. 30 days where nothing is said."),
  field("For", kinds(), "A page’s token lives an hour at most, for named origins."),
  field("Services", text("services", "all"), "With commas: openai, claude."),
  field("Models", text("models", "all"), "With commas; * is any text: gpt-*, claude-*."),
  field("Budget", text("budget", "none"), "Such as 5usd/month or 100000tokens/day."),
  field("Requests a minute", number("rpm", "as many as wanted")),
  field("Tokens a minute", number("tpm", "as many as wanted")),
  field("Longest answer, tokens", number("max_tokens", "any")),
];

const rarerFields = () => [
  field("Paths", text("paths", "all"), "With commas: /v1/chat, /v1/embeddings."),
  field("Origins", text("origins", "any"), "Pages that may call: https://app.example."),
  field("Streams at once", number("streams", "any")),
  field("Budget’s name", text("budget_id", "its own"), "Tokens of one name share one budget."),
];

const kinds = () =>
  h(
    "select",
    { name: "kind" },
    h("option", { value: "" }, "a program, or a person"),
    h("option", { value: "browser" }, "a page in a browser"),
  );

// --- What is sent

/** Only what was filled in: what is left out does not restrict. */
function orderOf(form) {
  const filled = [...form].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "");
  return Object.fromEntries(filled.map(([name, value]) => [name, valueOf(name, value)]));
}

function valueOf(name, value) {
  if (LISTS.includes(name))
    return value
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
  return NUMBERS.includes(name) ? Number(value) : value;
}
