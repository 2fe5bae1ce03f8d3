// The console's frame: which view is shown, whether the gateway is well, the keys, light and dark.

import { askJson } from "./lib/api.js";
import { h } from "./lib/dom.js";
import { duration } from "./lib/format.js";
import * as keys from "./lib/keys.js";
import { say } from "./lib/say.js";

const VIEWS = {
  playground: ["Playground", () => import("./views/playground.js")],
  usage: ["Usage", () => import("./views/usage.js")],
  doctor: ["Doctor", () => import("./views/doctor.js")],
  services: ["Services", () => import("./views/services.js")],
  tokens: ["Tokens", () => import("./views/tokens.js")],
  api: ["API reference", () => import("./views/reference.js")],
  about: ["About", () => import("./views/about.js")],
};
const $ = (id) => document.getElementById(id);

// --- Which view

let shown = null; // the view that is shown, with what is to be done when it goes
let showing = 0;
const left = new WeakMap(); // how far down a view that is kept was read when it was left

/** `#/usage/calls/7?x=1` as a view, the path within it, and what was asked. */
function address() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decoded);
  return { name: Object.hasOwn(VIEWS, name) ? name : "playground", path: rest, query: new URLSearchParams(query) };
}

/** A part of an address; one that somebody mistyped is taken as it is. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function show() {
  const { name, path, query } = address();
  const turn = (showing += 1);
  const [title, load] = VIEWS[name];
  markNav(name);
  document.title = `${title} · Twinlane`;
  const view = await load().catch(notLoaded);
  if (turn !== showing) return; // why: another link was followed meanwhile
  const first = shown === null;
  if (shown) left.set(shown.element, scrollY);
  shown?.leave?.();
  shown = view.render(path, query);
  $("main").replaceChildren(shown.element);
  if (first) return;
  scrollTo(0, left.get(shown.element) ?? 0);
  focusOn($("main").querySelector("h1") ?? $("main"));
}

function notLoaded(cause) {
  const words = `This view could not be loaded (${cause.message}). Is the gateway still running?`;
  return { render: () => ({ element: h("section", { class: "page" }, h("h1", {}, "Not loaded"), h("p", {}, words)) }) };
}

function markNav(name) {
  for (const link of $("nav").children) {
    const here = link.hash === `#/${name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function focusOn(element) {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

// --- Whether it is well

async function checkHealth() {
  const started = performance.now();
  try {
    const health = await askJson("/health", { as: "nobody" });
    const facts = [health.version, health.env].filter(Boolean).join(" · ");
    showHealth(
      health.status === "ok" ? "ok" : "bad",
      health.status === "ok" ? facts : `It calls itself “${health.status}”.`,
    );
    $("health").title = `The gateway answered /health in ${duration(performance.now() - started)}.`;
  } catch (failure) {
    showHealth("bad", "cannot be reached");
    $("health").title = failure.message;
  }
}

function showHealth(state, words) {
  $("health").dataset.state = state;
  const word = { ok: "well", bad: "not well", wait: "" }[state];
  $("health-words").replaceChildren(h("span", { class: "unseen" }, `${word}: `), words);
}

// --- Keys

function openKeys(why = "") {
  $("key-why").textContent = why;
  $("key-caller").value = keys.caller();
  $("key-admin").value = keys.admin();
  $("key-dialog").showModal();
}

function useKeys(event) {
  if (event.submitter?.value !== "use") return;
  keys.use({ caller: $("key-caller").value.trim(), admin: $("key-admin").value.trim() });
  say("The keys are in use for this tab.");
}

function forgetKeys() {
  keys.use({ caller: "", admin: "" });
  $("key-dialog").close();
  say("The keys are forgotten.");
}

function showKeys() {
  const held = [keys.caller() && "key", keys.admin() && "admin"].filter(Boolean);
  $("keys").textContent = held.length ? `Key: ${held.join(" + ")}` : "Key";
  $("keys").toggleAttribute("data-held", held.length > 0);
}

// --- Light and dark

const THEMES = ["system", "light", "dark"];

function showTheme() {
  const theme = keys.recall("theme") ?? "system";
  document.documentElement.dataset.theme = theme;
  const word = { system: "Auto", light: "Light", dark: "Dark" }[theme];
  $("theme").textContent = word;
  $("theme").setAttribute("aria-label", `Theme: ${word}. Change it`);
  dispatchEvent(new CustomEvent("themechanged"));
}

function nextTheme() {
  const now = THEMES.indexOf(keys.recall("theme") ?? "system");
  keys.remember("theme", THEMES[(now + 1) % THEMES.length]);
  showTheme();
}

// --- The page

function skip(event) {
  event.preventDefault(); // why: the hash says which view is shown
  focusOn($("main"));
}

function listen() {
  addEventListener("hashchange", show);
  addEventListener("keyschanged", showKeys);
  addEventListener("wantkeys", (event) => openKeys(event.detail));
  $("skip").addEventListener("click", skip);
  $("keys").addEventListener("click", () => openKeys());
  $("key-form").addEventListener("submit", useKeys);
  $("key-forget").addEventListener("click", forgetKeys);
  $("key-close").addEventListener("click", () => $("key-dialog").close());
  $("theme").addEventListener("click", nextTheme);
}

listen();
showTheme();
showKeys();
show();
checkHealth();
