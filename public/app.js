// The welcome page: shows that this gateway is alive, whom it can call, and how.
//
// All it shows comes from the gateway that served it, and reaches the DOM as text only.

const HERE = location.origin;
const PROMPT = "Write a story";
const MESSAGES = [{ role: "user", content: PROMPT }];
const ANY_MODEL = "your-model"; // why: a model's name outlives no release of this page
// why: a gateway that hides its list behind a token can still show how a call would look
const FALLBACK = { alias: "openai", example: "/gateway/openai/v1/chat/completions" };
const PATIENCE_MS = 15_000; // why: a cold function may take seconds to say that it is well

// The token lives here and nowhere else: no storage, no cookie, no URL.
const page = { services: [], demo: null, token: "", wantsToken: false, again: null, run: null };

const $ = (id) => document.getElementById(id);
const say = (words) => { $("said").textContent = words; };

// --- Asking the gateway

/** What went wrong, in a sentence for the person in front of the page. */
class Failure extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Asks this gateway, with the token if there is one; anything but success is a `Failure`. */
async function ask(path, init = {}) {
  const headers = { ...init.headers };
  if (page.token) headers["X-AUTH-TOKEN"] = page.token;
  const reply = await fetch(path, { cache: "no-store", ...init, headers }).catch((cause) => { throw unreached(cause, path); });
  if (reply.ok) return reply;
  throw new Failure(await refusal(reply), reply.status);
}

function unreached(cause, path) {
  if (cause.name === "AbortError") return cause;
  if (cause.name === "TimeoutError") return new Failure(`${HERE}${path} did not answer within ${PATIENCE_MS / 1000} s.`);
  return new Failure(`Nothing answered at ${HERE}${path}. Is the gateway still running, and this computer online?`);
}

async function refusal(reply) {
  const said = await reply.json().then((body) => body.error?.message, () => null);
  return said ? `Answered ${reply.status}: ${said}` : `Answered ${reply.status} without saying why.`;
}

async function askJson(path) {
  const reply = await ask(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  return reply.json().catch(() => {
    // why: a login wall in front answers 200 with a page of its own
    throw new Failure(`Something other than the gateway answered ${path}. Is a login page in front of it?`);
  });
}

// --- Health

async function checkHealth() {
  showHealth("wait", "Asking…", "Waiting for /health.");
  const started = performance.now();
  try {
    const health = await askJson("/health");
    showAlive(health, Math.round(performance.now() - started));
  } catch (failure) {
    showHealth("bad", failure.status ? "Not well." : "Cannot be reached.", failure.message);
  }
}

function showAlive(health, ms) {
  const well = health.status === "ok";
  showHealth(well ? "ok" : "bad", well ? "Alive." : "Not well.", well ? `Answered in ${ms} ms.` : `It calls itself “${health.status}”.`);
  const facts = [["Version", health.version], ["Mode", health.mode], ["Env", health.env]];
  $("health-facts").replaceChildren(...facts.filter(([, value]) => value).map(fact));
  $("health-facts").hidden = false;
  $("version").textContent = health.version ?? "";
}

function showHealth(state, word, detail) {
  $("health").dataset.state = state;
  $("health-word").textContent = word;
  $("health-detail").textContent = detail;
  if (state === "bad") $("health-facts").hidden = true;
}

function fact([name, value]) {
  const row = document.createElement("div");
  row.append(document.createElement("dt"), document.createElement("dd"));
  row.firstChild.textContent = name;
  row.lastChild.textContent = value;
  return row;
}

// --- Token

/** Asks for a token if the gateway did; `again` is what to repeat with it. */
function wantToken(failure, again) {
  if (failure.status !== 401) return;
  const refused = page.token !== "";
  page.token = "";
  page.wantsToken = true;
  page.again = again;
  $("token-form").hidden = false;
  $("token-why").textContent = refused ? `That token was refused. ${failure.message}` : "This gateway serves only callers with a token.";
  showCall(); // why: the examples now need the header, too
}

function useToken(event) {
  event.preventDefault();
  page.token = $("token").value.trim();
  $("token").value = "";
  $("token-form").hidden = true;
  const again = page.again;
  if (again !== loadServices) loadServices(); // why: the list may have been refused for the same reason
  again();
}

// --- Services

async function loadServices() {
  try {
    const { default: usual, services } = await askJson("/gateway/services");
    showServices(services ?? [], usual);
  } catch (failure) {
    $("count").textContent = failure.status === 401 ? failure.message : `${failure.message} “Check again” asks once more.`;
    $("count").classList.add("failed");
    if (!page.services.length) $("service").replaceChildren(new Option(FALLBACK.alias));
    wantToken(failure, loadServices);
  }
}

function showServices(services, usual) {
  page.services = services;
  page.demo = services.find(({ alias }) => alias === "demo") ?? null;
  $("count").classList.remove("failed");
  $("list").replaceChildren(...services.map(serviceRow));
  $("service").replaceChildren(...services.map(({ alias }) => new Option(alias)));
  $("service").disabled = services.length === 0;
  if (services.length) $("service").value = page.demo?.alias ?? (services.find(({ alias }) => alias === usual) ?? services[0]).alias;
  $("try-wait").hidden = true;
  $("try-live").hidden = !page.demo;
  $("try-absent").hidden = Boolean(page.demo);
  filterServices();
  showCall();
}

function serviceRow(service) {
  const row = $("row").content.cloneNode(true).firstElementChild;
  const [name, copy] = row.querySelectorAll("button");
  const { base } = target(service);
  row.dataset.words = `${service.alias} ${service.host ?? ""}`.toLowerCase();
  row.querySelector(".host").textContent = service.host ?? "";
  row.querySelector("code").textContent = base.slice(HERE.length);
  name.textContent = service.alias;
  name.setAttribute("aria-label", `${service.alias}: show how to call it`);
  name.addEventListener("click", () => chooseService(service.alias));
  copy.setAttribute("aria-label", `Copy the base URL of ${service.alias}`);
  copy.addEventListener("click", () => copyFrom(copy, base));
  return row;
}

function chooseService(alias) {
  $("service").value = alias;
  showCall();
  $("call").scrollIntoView();
  $("service").focus({ preventScroll: true });
}

function filterServices() {
  const wanted = $("search").value.toLowerCase().split(/\s+/);
  const rows = [...$("list").children];
  for (const row of rows) row.hidden = !wanted.every((word) => row.dataset.words.includes(word));
  const shown = rows.filter((row) => !row.hidden).length;
  $("count").textContent = counted(shown, rows.length);
}

function counted(shown, all) {
  if (all === 0) return "No service is configured. docs/ tells how to add one.";
  if (shown === 0) return `None of ${all} services matches.`;
  return `${shown === all ? all : `${shown} of ${all}`} services under ${HERE}`;
}

// --- How to call a service

const KEY_NAMES = new Map([
  ["claude", "ANTHROPIC_API_KEY"], ["github", "GITHUB_TOKEN"], ["huggingface", "HF_TOKEN"], ["1min", "ONEMIN_API_KEY"],
]);

/** What a client must know to call a service here, read off the service's example. */
function target({ alias, example }) {
  const path = example ?? `/gateway/${alias}/`;
  const model = alias === "demo" ? "demo" : /\/models\/([^:/]+):/.exec(path)?.[1] ?? ANY_MODEL;
  const shape = shapeOf(path);
  return { alias, model, shape, url: HERE + path, base: HERE + basePath(alias, path, shape), key: keyName(alias) };
}

function shapeOf(path) {
  if (path.endsWith("/chat/completions")) return "chat";
  if (path.endsWith("/messages")) return "messages";
  return /:(stream)?generateContent/i.test(path) ? "gemini" : "plain";
}

/** What the provider's SDK wants as base: OpenAI's wants the version in it, the others add it. */
function basePath(alias, path, shape) {
  if (shape === "chat") return path.slice(0, -"/chat/completions".length);
  if (shape === "messages") return path.replace(/(\/v1)?\/messages$/, "");
  return shape === "gemini" ? path.replace(/\/v1\w*\/models\/.*$/, "") : `/gateway/${alias}`;
}

function keyName(alias) {
  if (alias === "demo") return null;
  // why: a shell variable has no dashes and does not begin with a digit
  return KEY_NAMES.get(alias) ?? `${alias.toUpperCase().replace(/\W/g, "_").replace(/^(?=\d)/, "_")}_API_KEY`;
}

function showCall() {
  const to = target(page.services.find(({ alias }) => alias === $("service").value) ?? FALLBACK);
  const code = EXAMPLES[to.shape][language()](to);
  $("base").textContent = to.base;
  $("code").replaceChildren(...marked(code, to.base));
  $("sample").scrollLeft = 0;
  $("call-hint").textContent = hint(to);
}

const language = () => document.querySelector("[name=language]:checked").value;

/** Marks the base URL, since it is all that changes for a client. */
function marked(code, base) {
  const at = code.indexOf(base);
  const mark = document.createElement("mark");
  mark.textContent = base;
  return [code.slice(0, at), mark, code.slice(at + base.length)];
}

function hint({ alias, key, model, shape }) {
  const token = page.wantsToken ? " GATEWAY_TOKEN is the token this gateway asks for." : "";
  if (!key) return `This runs as it is: ${alias} is a pretend provider on your laptop and needs no key.${token}`;
  const own = shape === "plain" ? ` The path after /gateway/${alias} is the provider’s own.` : "";
  const choose = model === ANY_MODEL && shape !== "plain" ? ` and put the name of a model in place of ${ANY_MODEL}` : "";
  return `Set ${key} to your ${alias} key${choose}.${own}${token}`;
}

// --- Examples: one for each wire format and language

const pythonKey = ({ key }) => (key ? `os.environ["${key}"]` : `"unused"`);
const scriptKey = ({ key }) => (key ? `process.env.${key}` : `"unused"`);
const tokenLine = (line) => (page.wantsToken ? `\n${line}` : "");
const pythonToken = (name) => tokenLine(`    ${name}{"X-AUTH-TOKEN": os.environ["GATEWAY_TOKEN"]},`);
const scriptToken = (name) => tokenLine(`  ${name}: { "X-AUTH-TOKEN": process.env.GATEWAY_TOKEN! },`);

function curl(url, headers, body) {
  const all = [body && "Content-Type: application/json", ...headers, page.wantsToken && "X-AUTH-TOKEN: $GATEWAY_TOKEN"];
  const fields = Object.entries(body ?? {}).map(([name, value]) => `    "${name}": ${JSON.stringify(value)}`);
  const parts = [`curl -N "${url}"`, ...all.filter(Boolean).map((header) => `-H "${header}"`)];
  if (body) parts.push(`-d '{\n${fields.join(",\n")}\n  }'`);
  return parts.join(" \\\n  ");
}

const pythonClient = (name, to) => `client = ${name}(
    base_url="${to.base}",
    api_key=${pythonKey(to)},${pythonToken("default_headers=")}
)`;

const scriptClient = (name, to) => `const client = new ${name}({
  baseURL: "${to.base}",
  apiKey: ${scriptKey(to)},${scriptToken("defaultHeaders")}
});`;

const chat = {
  curl: ({ url, key, model }) => curl(url, [key && `Authorization: Bearer $${key}`], { model, stream: true, messages: MESSAGES }),
  python: (to) => `# pip install openai
${to.key || page.wantsToken ? "import os\n" : ""}from openai import OpenAI

${pythonClient("OpenAI", to)}
stream = client.chat.completions.create(
    model="${to.model}",
    stream=True,
    messages=[{"role": "user", "content": "${PROMPT}"}],
)
for chunk in stream:
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)`,
  typescript: (to) => `// npm install openai
import OpenAI from "openai";

${scriptClient("OpenAI", to)}
const stream = await client.chat.completions.create({
  model: "${to.model}",
  stream: true,
  messages: [{ role: "user", content: "${PROMPT}" }],
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}`,
};

const messages = {
  curl: ({ url, key, model }) =>
    curl(url, [`x-api-key: $${key}`, "anthropic-version: 2023-06-01"], { model, max_tokens: 500, stream: true, messages: MESSAGES }),
  python: (to) => `# pip install anthropic
import os
from anthropic import Anthropic

${pythonClient("Anthropic", to)}
with client.messages.stream(
    model="${to.model}",
    max_tokens=500,
    messages=[{"role": "user", "content": "${PROMPT}"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)`,
  typescript: (to) => `// npm install @anthropic-ai/sdk
import Anthropic from "@anthropic-ai/sdk";

${scriptClient("Anthropic", to)}
const stream = client.messages.stream({
  model: "${to.model}",
  max_tokens: 500,
  messages: [{ role: "user", content: "${PROMPT}" }],
});
stream.on("text", (text) => process.stdout.write(text));
await stream.finalMessage();`,
};

const gemini = {
  curl: ({ url, key }) => curl(url, [`x-goog-api-key: $${key}`], { contents: [{ parts: [{ text: PROMPT }] }] }),
  python: (to) => `# pip install google-genai
import os
from google import genai

client = genai.Client(
    api_key=${pythonKey(to)},
    http_options={
        "base_url": "${to.base}",${pythonToken(`    "headers": `)}
    },
)
for chunk in client.models.generate_content_stream(
    model="${to.model}",
    contents="${PROMPT}",
):
    print(chunk.text or "", end="", flush=True)`,
  typescript: (to) => `// npm install @google/genai
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: ${scriptKey(to)},
  httpOptions: {
    baseUrl: "${to.base}",${scriptToken("  headers")}
  },
});
const stream = await client.models.generateContentStream({
  model: "${to.model}",
  contents: "${PROMPT}",
});
for await (const chunk of stream) process.stdout.write(chunk.text ?? "");`,
};

/** A service whose wire format this page does not know: the bare request. */
const plain = {
  curl: ({ url, key }) => curl(url, [`Authorization: Bearer $${key}`]),
  python: (to) => `# pip install httpx
import os
import httpx

reply = httpx.get("${to.url}", headers={
    "Authorization": "Bearer " + ${pythonKey(to)},${tokenLine(`    "X-AUTH-TOKEN": os.environ["GATEWAY_TOKEN"],`)}
})
print(reply.status_code, reply.text)`,
  typescript: (to) => `const reply = await fetch("${to.url}", {
  headers: {
    "Authorization": "Bearer " + ${scriptKey(to)},${tokenLine(`    "X-AUTH-TOKEN": process.env.GATEWAY_TOKEN!,`)}
  },
});
console.log(reply.status, await reply.text());`,
};

const EXAMPLES = { chat, messages, gemini, plain };

// --- Copying

async function copyFrom(button, text) {
  const copied = await copyText(text);
  button.textContent = copied ? "Copied" : "Failed";
  say(copied ? `Copied: ${text.split("\n", 1)[0]}` : "The browser did not allow copying.");
  setTimeout(() => { button.textContent = "Copy"; }, 1600);
}

async function copyText(text) {
  // why: a page opened over plain http from another computer has no clipboard API
  if (!navigator.clipboard) return copyBySelection(text);
  return navigator.clipboard.writeText(text).then(() => true, () => copyBySelection(text));
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.className = "unseen";
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}

// --- Try it

/** Turns the bytes of an event stream, cut anywhere, into the data of its events. */
export function sseParser(onData) {
  const decoder = new TextDecoder(); // why: a character may be cut in two, and a byte order mark may lead
  let rest = "";
  let afterReturn = false;
  let data = [];

  function readLine(line) {
    if (line === "") return dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "data") data.push(value); // why only data: a comment has an empty field, and chat uses no other
  }
  function dispatch() {
    if (data.length) onData(data.join("\n"));
    data = [];
  }
  return function feed(bytes) {
    const text = decoder.decode(bytes, { stream: true });
    if (text === "") return;
    // why: CR alone ends a line, so a LF that comes with the next bytes must not end another
    const fresh = afterReturn && text[0] === "\n" ? text.slice(1) : text;
    afterReturn = text.endsWith("\r");
    const found = (rest + fresh).split(/\r\n|\r|\n/);
    rest = found.pop();
    found.forEach(readLine);
  };
}

async function tryIt() {
  if (page.run) return;
  const run = page.run = { abort: new AbortController(), started: performance.now(), events: 0, done: false };
  showStarted();
  try {
    const reply = await askDemo(run.abort.signal);
    showReply(reply.headers);
    await pour(reply.body, run);
    showOutcome(endOf(run), !run.done);
  } catch (cause) {
    showOutcome(wordsFor(cause, run), cause.name !== "AbortError");
    wantToken(cause, tryIt);
    if (cause.status === 401) $("token").focus();
  } finally {
    run.abort.abort(); // why: after an error within the stream the connection is still open
    page.run = null;
    showEnded();
  }
}

function askDemo(signal) {
  const body = JSON.stringify({ model: "demo", stream: true, messages: MESSAGES });
  return ask(page.demo.example, { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
}

/** Pours the stream into the page until it ends. */
async function pour(body, run) {
  const reader = body.getReader();
  const feed = sseParser((data) => takeEvent(data, run));
  let first = true;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (first) $("fact-first").textContent = `${Math.round(performance.now() - run.started)} ms`;
    first = false;
    feed(value);
  }
}

function takeEvent(data, run) {
  if (data === "[DONE]") { run.done = true; return; }
  const event = parsed(data);
  // why: once a stream has begun, an error can only come as one of its events
  if (event.error) throw new Failure(`The stream reports an error: ${event.error.message ?? "it does not say which"}`);
  run.events += 1;
  write(event.choices?.[0]?.delta?.content ?? "");
}

function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    throw new Failure("The stream holds an event that is not JSON.");
  }
}

function write(text) {
  if (!text) return;
  const story = $("story");
  // why: whoever has scrolled up to read must not be pulled down again
  const atEnd = story.scrollHeight - story.scrollTop - story.clientHeight < 48;
  story.append(text);
  if (atEnd) story.scrollTop = story.scrollHeight;
}

const stop = () => page.run?.abort.abort();
const seconds = (run) => `${((performance.now() - run.started) / 1000).toFixed(1)} s`;

function endOf(run) {
  if (run.done) return `Complete: ${run.events} events in ${seconds(run)}, ended by [DONE].`;
  return `The stream ended after ${seconds(run)} without [DONE], so the story may be incomplete.`;
}

function wordsFor(cause, run) {
  if (cause.name === "AbortError") return `Stopped after ${seconds(run)}. Leaving also cancels the provider’s work.`;
  if (cause instanceof Failure) return cause.message;
  return `The connection broke after ${seconds(run)}, so the story is incomplete.`;
}

function showStarted() {
  for (const told of document.querySelectorAll(".ledger dd")) told.textContent = "";
  $("story").replaceChildren();
  showLane(null);
  $("story").setAttribute("aria-busy", "true"); // why: a screen reader reads the whole, not every token
  $("story").scrollTop = 0;
  setEnabled($("start"), false);
  setEnabled($("stop"), true);
  showOutcome("Streaming…", false);
}

const TELLING = { lane: "x-processing-mode", reason: "x-lane-reason", attempts: "x-attempts", id: "x-gateway-request-id" };

function showReply(headers) {
  for (const [name, header] of Object.entries(TELLING)) $(`fact-${name}`).textContent = headers.get(header) ?? "";
  showLane(headers.get("x-processing-mode"));
}

function showLane(lane) {
  for (const road of document.querySelectorAll("[data-lane]")) {
    const taken = road.dataset.lane === lane;
    road.querySelector(".took").hidden = !taken;
    road.toggleAttribute("data-running", taken);
  }
}

function showOutcome(words, failed) {
  $("outcome").textContent = words;
  $("outcome").classList.toggle("failed", failed);
}

function showEnded() {
  $("story").setAttribute("aria-busy", "false");
  $("story").normalize();
  setEnabled($("start"), true);
  setEnabled($("stop"), false);
  for (const road of document.querySelectorAll("[data-running]")) road.removeAttribute("data-running");
}

/** Says that a button rests, without taking the focus from whoever just pressed it. */
function setEnabled(button, enabled) {
  button.setAttribute("aria-disabled", String(!enabled));
}

// --- The page

function listen() {
  $("check").addEventListener("click", look);
  $("token-form").addEventListener("submit", useToken);
  $("service").addEventListener("change", showCall);
  $("language").addEventListener("change", showCall);
  $("search").addEventListener("input", filterServices);
  $("copy-base").addEventListener("click", () => copyFrom($("copy-base"), $("base").textContent));
  $("copy-code").addEventListener("click", () => copyFrom($("copy-code"), $("code").textContent));
  $("start").addEventListener("click", tryIt);
  $("stop").addEventListener("click", stop);
}

// why once and not on a timer: each look wakes a function somebody pays for
function look() {
  checkHealth();
  if (!page.services.length) loadServices();
}

listen();
showCall();
look();
