// Tokens: to make one for a person or a program, to see which there are, to take one back.

import { open } from "../lib/admin.js";
import { ask, askJson, isAbsent } from "../lib/api.js";
import { copyButton } from "../lib/copy.js";
import { fill, h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { keyed, page, part, table, trouble, waiting } from "../lib/page.js";
import { say } from "../lib/say.js";
import { orderForm } from "./tokens/order.js";

const SETTINGS =
  "export GATEWAY_SECRET=$(openssl rand -hex 32)   # signs tokens\nexport ADMIN_TOKEN=$(openssl rand -hex 16)      # opens this page";
const COMMAND = "twinlane token new --name alice --services openai,claude --budget 5usd/month --expires 30d";

export function render() {
  const place = h("div", {}, waiting());
  const element = page(
    "Tokens",
    "Give a person or a program a key to this gateway that says what it may do, and ends by itself. The provider’s keys stay here.",
    place,
  );
  return { element, leave: keyed(place, begin).leave };
}

async function begin(place, left) {
  const opened = await open().catch((failure) => failure);
  if (left.aborted) return;
  if (isAbsent(opened) || opened.tokens === false) return fill(place, howToBegin());
  if (opened instanceof Error) return fill(place, trouble(opened, { again: () => begin(place, left) }));
  desk(place, opened);
}

/** Where nothing is set yet, what there is to set. */
function howToBegin() {
  const code = (text, label) =>
    h(
      "div",
      { class: "code" },
      h(
        "div",
        { class: "code-bar" },
        h("span", {}, "shell"),
        copyButton(label, () => text),
      ),
      h("pre", { tabindex: "0", role: "region", "aria-label": label }, h("code", {}, text)),
    );
  return h(
    "div",
    { class: "steps" },
    h(
      "p",
      {},
      "Tokens cannot be made on this page yet. Set these two for the gateway, start it again, and enter the second with “Key”.",
    ),
    code(SETTINGS, "Copy the settings"),
    h("p", {}, "Or make one in a terminal, which needs the first alone."),
    code(COMMAND, "Copy the command"),
  );
}

function desk(place, { lasting }) {
  const made = h("div", {});
  const rows = h("div", {}, waiting());
  const form = orderForm((grant) => {
    fill(made, shownOnce(grant));
    made.querySelector("button")?.focus();
    load();
  });
  fill(
    place,
    made,
    part("A new token", form),
    part(
      "Tokens there are",
      !lasting &&
        h(
          "p",
          { class: "small" },
          "This list, and which tokens are taken back, is in this instance’s memory: other instances do not know of it.",
        ),
      rows,
    ),
  );

  async function load() {
    const list = await askJson("/admin/tokens?limit=1000", { as: "admin" }).catch((failure) => failure);
    if (list instanceof Error)
      return fill(
        rows,
        trouble(list, { absent: "Tokens that were made are not listed here: no store is configured.", again: load }),
      );
    fill(rows, listed(list, load));
  }

  load();
}

/** The token itself, this once: the gateway does not keep it. */
function shownOnce({ token, name, id, expires, listed: isListed }) {
  return h(
    "div",
    { class: "notice", role: "status" },
    h("h2", {}, `The token for ${name || id}`),
    h("p", {}, "It is shown this once and kept nowhere. Copy it now."),
    h("p", { class: "token" }, h("code", {}, token)),
    h(
      "p",
      { class: "actions" },
      copyButton("Copy the token", () => token, "Copy the token"),
    ),
    h(
      "p",
      { class: "small" },
      expires ? `It ends ${day(expires)}. ` : "It does not end by itself. ",
      isListed === false && "It could not be put on the list below.",
    ),
  );
}

function listed({ tokens, next }, reload) {
  if (!tokens.length)
    return h("p", { class: "empty" }, "None was made here yet. Those that “twinlane token new” makes are not listed.");
  return [
    table(
      "Tokens",
      [
        ["Name", ({ name, id }) => name || id],
        ["May", (token) => h("span", { class: "small" }, grants(token))],
        ["Made", ({ issued }) => day(issued), "mono"],
        ["Ends", ({ expires }) => (expires ? day(expires) : "never"), "mono"],
        ["Id", ({ id }) => h("a", { href: `#/usage?token=${encodeURIComponent(id)}`, title: "What it was used for" }, id), "mono id"],
        ["", (token) => (token.revoked ? h("span", { class: "bad" }, "taken back") : revokeButton(token, reload))],
      ],
      tokens.toReversed(),
    ),
    next && h("p", { class: "small" }, `These are the first ${plural(tokens.length, "token")}.`),
  ];
}

function grants({ kind, services, models, paths, origins, rpm, tpm, streams, max_tokens: longest, budget }) {
  const told = [
    kind === "browser" && "from a browser",
    services && `call ${services.join(", ")}`,
    models && `use ${models.join(", ")}`,
    paths && `reach ${paths.join(", ")}`,
    origins && `from ${origins.join(", ")}`,
    rpm && `${rpm} requests/min`,
    tpm && `${tpm} tokens/min`,
    streams && plural(streams, "stream"),
    longest && `answers of ${longest} tokens`,
    budget && `spend ${budget}`,
  ].filter(Boolean);
  return told.join("; ") || "everything";
}

const day = (time) =>
  new Date(time).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });

/** Asks once more before it does what cannot be undone. */
function revokeButton({ id, name }, reload) {
  const button = h(
    "button",
    { type: "button", class: "quiet danger", "aria-label": `Take back ${name || id}` },
    "Take back",
  );
  let sure = false;
  button.addEventListener("blur", () => {
    sure = false;
    button.textContent = "Take back";
  });
  button.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      button.textContent = "Really?";
      say("Press again to take it back.");
      return;
    }
    const failure = await ask(`/admin/tokens/${encodeURIComponent(id)}`, { method: "DELETE", as: "admin" }).then(
      () => null,
      (cause) => cause,
    );
    if (failure) return button.replaceWith(h("span", { class: "bad", role: "alert" }, failure.message));
    say(`The token of ${name || id} is taken back.`);
    reload();
  });
  return button;
}
