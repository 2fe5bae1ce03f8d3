// Asks the gateway that served this page, and nobody else. What goes wrong comes back in words.

import * as keys from "./keys.js";

const PATIENCE_MS = 20_000; // why: a cold function may take seconds
export const HERE = location.origin;

const NOT_THIS_ADMIN = "The administrator’s token that you entered is not this gateway’s ADMIN_TOKEN.";

/** What went wrong, in a sentence for the person in front of the page. */
export class Failure extends Error {
  constructor(message, facts = {}) {
    super(message);
    Object.assign(this, { status: 0, code: null, requestId: null, headers: null }, facts);
  }
}

/** Asks; anything but success is a `Failure`. `as` says with whose key: "caller", "admin" or "nobody". */
export async function ask(path, { as = "caller", ...init } = {}) {
  const headers = new Headers(init.headers);
  const key = keyFor(as);
  if (key) headers.set("authorization", `Bearer ${key}`);
  const reply = await fetch(path, { cache: "no-store", credentials: "omit", ...init, headers }).catch((cause) => {
    throw unreached(cause, path);
  });
  if (reply.ok) return reply;
  throw await refusal(reply, as);
}

/** Asks for JSON, within a while. */
export async function askJson(path, init = {}) {
  const reply = await ask(path, { signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  return reply.json().catch(() => {
    // why: a login wall in front answers 200 with a page of its own
    throw new Failure(`Something other than the gateway answered ${path}. Is a login page in front of it?`);
  });
}

/** Sends JSON. */
export const sendJson = (path, body, init = {}) =>
  ask(path, {
    method: "POST",
    ...init,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...init.headers },
  });

function keyFor(as) {
  if (as === "nobody") return "";
  return as === "admin" ? keys.admin() || keys.caller() : keys.caller();
}

function unreached(cause, path) {
  if (cause.name === "AbortError") return cause;
  if (cause.name === "TimeoutError")
    return new Failure(`${HERE}${path} did not answer within ${PATIENCE_MS / 1000} s.`);
  return new Failure(`Nothing answered at ${HERE}${path}. Is the gateway still running, and this computer online?`);
}

async function refusal(reply, as) {
  const body = await reply.json().catch(() => null);
  const error = body?.error ?? body?.[0]?.error;
  const isWrong = as === "admin" && reply.status === 401 && keys.admin();
  const said = isWrong ? NOT_THIS_ADMIN : typeof error === "string" ? error : error?.message;
  return new Failure(said || unsaid(reply), {
    status: reply.status,
    code: error?.code ?? error?.type ?? null,
    requestId: reply.headers.get("x-gateway-request-id"),
    headers: reply.headers,
  });
}

/** What an answer without words of the gateway most likely means: the platform gave it in the gateway's place. */
function unsaid({ status }) {
  if (status === 413)
    return "This is more than the platform in front of the gateway takes in one request (413). Send fewer or smaller pictures, or begin a new conversation: each question sends the pictures before it, too.";
  if (status === 504 || status === 408)
    return `The platform in front of the gateway ended the call before an answer came (${status}).`;
  return `The answer was ${status}, without saying why; perhaps not the gateway gave it, but something in front of it.`;
}

/** Whether a page is simply not there: not switched on, or not in this version. */
export const isAbsent = (failure) => failure instanceof Failure && [404, 405, 501].includes(failure.status);

/** Whether a key would help. */
export const wantsKey = (failure) => failure instanceof Failure && [401, 403].includes(failure.status);
