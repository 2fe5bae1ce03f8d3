// One answer, from the question to its last byte: what was said, and when.

import { mayRead } from "./admin.js";
import { askJson, sendJson } from "./api.js";
import { FORMATS, readEvent } from "./formats.js";
import { readEvents } from "./sse.js";

export class Answer {
  text = "";
  thought = "";
  tools = [];
  usage = null;
  stop = null;
  done = false;
  headers = new Headers();
  status = 0;
  times = { asked: 0, head: null, text: null, end: null };

  /** `changed` hears of everything that is new. */
  constructor(changed) {
    this.changed = changed;
  }

  write(text) {
    if (!text) return;
    this.times.text ??= this.#now();
    this.text += text;
    this.changed("text", text);
  }

  think(text) {
    if (!text) return;
    this.times.text ??= this.#now();
    this.thought += text;
    this.changed("thought", text);
  }

  /** A tool's name begins a call; what follows are its arguments. */
  callTool(name, more) {
    if (name) this.tools.push({ name, arguments: "" });
    const last = this.tools.at(-1);
    if (last && more) last.arguments += more;
    if (name || more) this.changed("tools");
  }

  /** Asks, and reads until the end. */
  async stream(format, body, signal) {
    const { path, headers } = FORMATS[format];
    this.times.asked = performance.now();
    const reply = await sendJson(path, body, { headers, signal });
    this.#begin(reply);
    const isStream = reply.headers.get("content-type")?.startsWith("text/event-stream");
    if (!isStream) return this.#whole(await reply.json());
    await readEvents(reply.body, (data) => readEvent(format, data, this));
  }

  /** Notes the end, however it came. */
  end() {
    this.times.end = this.#now();
    this.changed("end");
  }

  #begin(reply) {
    this.times.head = this.#now();
    this.headers = reply.headers;
    this.status = reply.status;
    this.changed("head");
  }

  /** A provider that does not stream answers with one piece of JSON. */
  #whole(json) {
    const message = json.choices?.[0]?.message;
    this.write(
      message?.content ??
        json.content?.map((part) => part.text ?? "").join("") ??
        json.output_text ??
        JSON.stringify(json, null, 2),
    );
    this.stop = json.choices?.[0]?.finish_reason ?? json.stop_reason ?? null;
    this.done = true;
  }

  #now() {
    return performance.now() - this.times.asked;
  }
}

/** What the gateway said of a call, from the headers of its answer. */
export function told(headers) {
  const say = (name) => headers?.get(name) ?? null;
  return {
    id: say("x-gateway-request-id"),
    lane: say("x-processing-mode"),
    why: say("x-lane-reason"),
    attempts: say("x-attempts"),
    served: say("x-served-by"),
    fallbacks: say("x-fallbacks"),
    dropped: say("x-dropped-params"),
    left: left(say),
  };
}

/** What a limit leaves for this minute, where there is one. */
function left(say) {
  const [remaining, limit] = [say("x-ratelimit-remaining-requests"), say("x-ratelimit-limit-requests")];
  return remaining && limit && `${remaining} of ${limit} requests`;
}

/** The record of a call in the usage log, which is written just after its end; null where none can be had. */
export async function recordOf(id) {
  if (!(await mayRead())) return null;
  for (const wait of [250, 1000, 3000]) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    // why the list: one call that is not there yet would be an error
    const list = await askJson("/admin/calls?limit=50", { as: "admin" }).catch(() => null);
    const record = list?.calls.find((call) => call.id === id);
    if (record) return record;
  }
  return null;
}
