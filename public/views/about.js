// What this is, what it promises, and what this page keeps of you.

import { HERE, askJson } from "../lib/api.js";
import { facts, fill, h } from "../lib/dom.js";
import { page, part } from "../lib/page.js";

const PROMISES = [
  [
    "A stream never lies",
    "A provider that breaks off is reported in your client’s own protocol, never as a clean end. Silence is bridged, and a client that leaves cancels the provider’s work.",
  ],
  [
    "Bytes are sacred",
    "Below /gateway the body that arrives is the body that leaves. Only /v1 translates, and only where the provider does not speak your client’s format.",
  ],
  [
    "No double bill",
    "A call is tried again only where the provider cannot have begun to work, or has said to come back.",
  ],
  [
    "Keys stay home",
    "Provider keys live on the server. Callers hold tokens with a scope and an end. Nothing secret reaches a log or an error.",
  ],
  [
    "It explains itself",
    "Every answer names its lane and the reason; route-check tells what would happen before money is spent; the doctor tells what is misconfigured.",
  ],
];

const KEPT = [
  "Keys you type and the theme you choose, in this tab’s session storage, until the tab closes. No cookie, no lasting storage, no request to anybody but this gateway; the page’s Content-Security-Policy holds it to that. Conversations are in the page’s memory only.",
  "The gateway keeps numbers and names of calls, never what was said, unless its operator switches that on.",
];

export function render() {
  const lead =
    "Twinlane is an LLM gateway for your own cloud account: one base URL for every provider, on two lanes, with no database to run.";
  const element = page(
    "About",
    lead,
    h("div", { class: "columns" }, twoLanes(), thisGateway()),
    promises(),
    kept(),
    others(),
  );
  return { element };
}

function twoLanes() {
  const lanes = terms([
    ["Edge", "Reads, small bodies and every stream. Answered at once."],
    ["Background", "Embeddings, files, audio, images and bodies above 1 MiB. More time, more memory."],
  ]);
  const names = [h("code", {}, "x-processing-mode"), " and ", h("code", {}, "x-lane-reason")];
  return part(
    "Two lanes",
    lanes,
    h("p", {}, "The gateway picks one for each call; you never have to. ", names, " in the answer say which it was."),
  );
}

function thisGateway() {
  const place = h("div", {});
  const rows = ({ version, mode, env }) =>
    facts([
      ["Version", version],
      ["Mode", mode],
      ["Environment", env],
      ["Address", HERE],
    ]);
  askJson("/health", { as: "nobody" }).then(
    (told) => fill(place, rows(told)),
    (failure) => fill(place, h("p", {}, failure.message)),
  );
  return part("This gateway", place);
}

const promises = () => part("What it promises", terms(PROMISES));

const kept = () =>
  part(
    "What this page keeps",
    KEPT.map((words) => h("p", {}, words)),
  );

function others() {
  const file = (name, path) => h("a", { href: `/vendor/${path}` }, name);
  const [marked, purify, uplot] = [
    file("marked", "marked.LICENSE.txt"),
    file("DOMPurify", "purify.LICENSE.txt"),
    file("µPlot", "uplot.LICENSE.txt"),
  ];
  const words = h(
    "p",
    {},
    "Markdown by ",
    marked,
    ", sanitising by ",
    purify,
    ", charts by ",
    uplot,
    ". ",
    file("Versions and checksums", "README.md"),
    ".",
  );
  return part("Other people’s work", words);
}

const terms = (rows) =>
  h(
    "dl",
    { class: "terms" },
    rows.flatMap(([term, words]) => [h("dt", {}, term), h("dd", {}, words)]),
  );
