// The three formats a conversation can be sent in: what is asked, and what each event of the answer adds.
//
// A conversation is a list of turns `{ role, text, pictures }`; the settings are those of the playground.

import { Failure } from "./api.js";

const LONGEST_ANSWER = 4096; // why: Anthropic's format has to say one

const given = (fields) =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );

// --- OpenAI's chat completions

const chat = {
  label: "Chat",
  path: "/v1/chat/completions",
  takesEffort: true,
  body({ model, system, temperature, topP, maxTokens, effort, detail }, turns) {
    const begin = system ? [{ role: "system", content: system }] : [];
    const messages = [...begin, ...turns.map((turn) => ({ role: turn.role, content: chatContent(turn, detail) }))];
    const options = given({ temperature, top_p: topP, max_tokens: maxTokens, reasoning_effort: effort });
    return { model, messages, ...options, stream: true, stream_options: { include_usage: true } };
  },
  read(event, answer) {
    const choice = event.choices?.[0];
    answer.write(choice?.delta?.content);
    answer.think(choice?.delta?.reasoning_content ?? choice?.delta?.reasoning);
    for (const call of choice?.delta?.tool_calls ?? []) answer.callTool(call.function?.name, call.function?.arguments);
    answer.stop = choice?.finish_reason ?? answer.stop;
    if (event.usage) answer.usage = chatUsage(event.usage);
  },
};

function chatContent({ text, pictures = [] }, detail) {
  if (!pictures.length) return text;
  const images = pictures.map(({ url }) => ({ type: "image_url", image_url: given({ url, detail }) }));
  return [...(text ? [{ type: "text", text }] : []), ...images];
}

const chatUsage = (usage) => ({
  in: usage.prompt_tokens,
  out: usage.completion_tokens,
  cached: usage.prompt_tokens_details?.cached_tokens,
  reasoning: usage.completion_tokens_details?.reasoning_tokens,
});

// --- Anthropic's messages

const messages = {
  label: "Messages",
  path: "/v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  body({ model, system, temperature, topP, maxTokens }, turns) {
    const options = given({ system, temperature, top_p: topP });
    const said = turns.map((turn) => ({ role: turn.role, content: messageContent(turn) }));
    return { model, max_tokens: maxTokens ?? LONGEST_ANSWER, ...options, messages: said, stream: true };
  },
  read(event, answer) {
    if (event.type === "message_stop") answer.done = true;
    if (event.type === "content_block_start" && event.content_block?.type === "tool_use")
      answer.callTool(event.content_block.name, "");
    answer.write(event.delta?.text);
    answer.think(event.delta?.thinking);
    answer.callTool(null, event.delta?.partial_json);
    answer.stop = event.delta?.stop_reason ?? answer.stop;
    const usage = event.usage ?? event.message?.usage;
    if (usage) answer.usage = { ...answer.usage, ...messageUsage(usage) };
  },
};

function messageContent({ text, pictures = [] }) {
  if (!pictures.length) return text;
  const images = pictures.map(({ url, type }) => ({
    type: "image",
    source: { type: "base64", media_type: type, data: afterComma(url) },
  }));
  return [...images, ...(text ? [{ type: "text", text }] : [])];
}

/** The base64 of a data URL; what is not one, such as a name in an example, stays as it is. */
const afterComma = (url) => (typeof url === "string" ? url.slice(url.indexOf(",") + 1) : url);

const messageUsage = (usage) =>
  given({ in: usage.input_tokens, out: usage.output_tokens, cached: usage.cache_read_input_tokens });

// --- OpenAI's responses

const responses = {
  label: "Responses",
  path: "/v1/responses",
  takesEffort: true,
  body({ model, system, temperature, topP, maxTokens, effort, detail }, turns) {
    const options = given({ instructions: system, temperature, top_p: topP, max_output_tokens: maxTokens });
    if (effort) options.reasoning = { effort, summary: "auto" };
    return {
      model,
      ...options,
      input: turns.map((turn) => ({ role: turn.role, content: responseContent(turn, detail) })),
      stream: true,
    };
  },
  read(event, answer) {
    if (event.type === "response.output_text.delta") answer.write(event.delta);
    if (/^response\.reasoning(_summary)?_text\.delta$/.test(event.type)) answer.think(event.delta);
    if (event.type === "response.output_item.added" && event.item?.type === "function_call")
      answer.callTool(event.item.name, "");
    if (event.type === "response.function_call_arguments.delta") answer.callTool(null, event.delta);
    if (event.type === "response.failed") throw broken(event.response?.error);
    if (!["response.completed", "response.incomplete"].includes(event.type)) return;
    answer.done = true;
    answer.stop = event.response?.incomplete_details?.reason ?? "stop";
    answer.usage = responseUsage(event.response?.usage ?? {});
  },
};

function responseContent({ role, text, pictures = [] }, detail) {
  if (!pictures.length) return text;
  const kind = role === "assistant" ? "output_text" : "input_text";
  return [
    ...(text ? [{ type: kind, text }] : []),
    ...pictures.map(({ url }) => given({ type: "input_image", image_url: url, detail })),
  ];
}

const responseUsage = (usage) => ({
  in: usage.input_tokens,
  out: usage.output_tokens,
  cached: usage.input_tokens_details?.cached_tokens,
  reasoning: usage.output_tokens_details?.reasoning_tokens,
});

// --- What they share

export const FORMATS = { chat, messages, responses };

/** Takes one event's data into the answer. */
export function readEvent(format, data, answer) {
  if (data === "[DONE]") {
    answer.done = true;
    return;
  }
  const event = parsed(data);
  // why: once a stream has begun, an error can only come as one of its events
  if (event.error || event.type === "error") throw broken(event.error ?? event);
  FORMATS[format].read(event, answer);
}

function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    throw new Failure("The stream holds an event that is not JSON.");
  }
}

function broken(error) {
  return new Failure(`The stream reports an error: ${error?.message ?? "it does not say which"}`, {
    code: error?.code ?? error?.type ?? null,
  });
}
