// Drives a gateway's unified API with Vercel's AI SDK, by each of its providers, towards providers of several formats.
//
//     node tests/sdk/v1_ai_sdk.mjs http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo

import {
  calls, city, clock, gateway, key, png, pngSeen, prove, question, quoted, raises, results, same, sdk,
  silence, soon, that, twoTools,
} from './facts.mjs';

const { APICallError, Output, embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } = sdk('ai');
const { createOpenAI } = sdk('@ai-sdk/openai');
const { createOpenAICompatible } = sdk('@ai-sdk/openai-compatible');
const { createAnthropic } = sdk('@ai-sdk/anthropic');
const { createGoogleGenerativeAI } = sdk('@ai-sdk/google');
const { z } = sdk('zod');

// The SDK says in the log of every call what a provider does not support; that is no fact of ours.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** When the head of the newest answer about each slow model came. */
const headCame = new Map();
async function watchedFetch(url, init) {
  const answer = await fetch(url, init);
  headCame.set(init.headers['x-fact'] ?? init.headers.get?.('x-fact'), performance.now());
  return answer;
}

const settings = { baseURL: `${gateway}/v1`, apiKey: key, fetch: watchedFetch };
const openai = createOpenAI(settings);
const anthropic = createAnthropic(settings);
const google = createGoogleGenerativeAI({ ...settings, baseURL: `${gateway}/v1beta` });
const compatible = createOpenAICompatible({
  name: 'twinlane', includeUsage: true, supportsStructuredOutputs: true, ...settings,
});

/** Each provider of the SDK: how it names a model, and how it is told to think. */
const ways = {
  'OpenAI chat': [openai.chat, { openai: { reasoningEffort: 'high', forceReasoning: true } }],
  'OpenAI responses': [
    openai.responses,
    { openai: { reasoningEffort: 'high', reasoningSummary: 'auto', forceReasoning: true, store: false } },
  ],
  'OpenAI-compatible': [compatible, { twinlane: { reasoningEffort: 'high' } }],
  Anthropic: [anthropic, { anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } } }],
  // The SDK writes "models/" into the path only before names without a slash.
  Google: [(model) => google(`models/${model}`), { google: { thinkingConfig: { thinkingBudget: 2000, includeThoughts: true } } }],
};

const tools = Object.fromEntries(
  Object.entries(results).map(([name, result]) => [
    name,
    tool({ description: 'A fact.', inputSchema: jsonSchema(city), execute: async () => result }),
  ]),
);
const Tram = z.object({ line: z.number().int(), stops: z.array(z.string()) });

// Unless told not to, the SDK names what it was told by OpenAI before, which only OpenAI knows.
const keepNothing = { openai: { store: false } };

function asked(model, way, more) {
  const common = { maxRetries: 0, prompt: question, providerOptions: keepNothing, headers: { 'x-fact': model + way } };
  return { model: ways[way][0](model), ...common, ...more };
}

const generate = (model, way, more) => generateText(asked(model, way, more));

/** A stream to its end. The SDK tells an error as a part of it. */
async function streamed(model, way, more) {
  const result = streamText({ ...asked(model, way, more), onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error;
  }
  const names = ['text', 'finishReason', 'usage', 'toolCalls', 'reasoningText', 'steps'];
  const values = await Promise.all(names.map((name) => result[name]));
  return { result, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) };
}

// ---- text ----

async function aTextIsGenerated(model, way) {
  const { text, finishReason } = await generate(model, way);
  that(text.includes(question), `the question is not quoted: ${text}`);
  same(finishReason, 'stop', 'finish reason');
}

async function aStreamSaysWhatTheAnswerWould(model, way) {
  const { text, finishReason } = await streamed(model, way);
  same(text, (await generate(model, way)).text, 'text');
  same(finishReason, 'stop', 'finish reason');
}

async function usageIsTold(model, way) {
  for (const { usage } of [await generate(model, way), await streamed(model, way)]) {
    that(usage.inputTokens > 0 && usage.outputTokens > 0, `tokens ${JSON.stringify(usage)}`);
  }
}

async function aSystemPromptAndEarlierTurnsAreTaken(model, way) {
  const messages = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hello. ' },
    { role: 'user', content: question },
  ];
  const { text } = await generate(model, way, { prompt: undefined, system: 'You are terse.', messages });
  that(text.includes(question), `the last message is not answered: ${text}`);
}

async function aSilentProviderIsWaitedFor(model, way) {
  const [passed, began] = [clock(), performance.now()];
  const { text, finishReason } = await streamed(`${model}-slow`, way);
  const head = headCame.get(`${model}-slow${way}`) - began;
  that(head < soon, `the head took ${head.toFixed()} ms: nothing kept the client alive`);
  that(text, 'the streamed text is empty');
  same(finishReason, 'stop', 'finish reason');
  that(passed() >= silence, 'the demo was not silent at all');
}

async function aFailureAfterASilenceIsAnError(model, way) {
  const error = await fails(() => streamed(`${model}-slow-error-503`, way));
  that(JSON.stringify(error).includes('503') || `${error.message}`.includes('503'), `the error is ${words(error)}`);
}

async function aStreamThatIsLeftEarlyLeavesTheClientUsable(model, way) {
  const leaving = new AbortController();
  const { textStream } = streamText({ ...asked(`${model}-slow`, way, { abortSignal: leaving.signal }), onError() {} });
  for await (const _ of textStream) {
    leaving.abort();
    break;
  }
  await aTextIsGenerated(model, way);
}

async function errorsKeepTheirStatusAndMessage(model, way) {
  for (const status of [400, 401, 403, 404, 429, 500, 503]) {
    for (const ask of [generate, streamed]) {
      const error = await raises(APICallError, () => ask(`${model}-error-${status}`, way));
      same(error.statusCode, status, 'status');
      that(error.message.includes(String(status)), `the message of a ${status} is ${error.message}`);
      same(error.isRetryable, status === 429 || status >= 500, `whether a ${status} may be retried`);
    }
  }
}

async function aStreamThatBreaksOffIsAnError(model, way) {
  for (const how of ['cut', 'ended', 'overloaded']) {
    const error = await fails(() => streamed(`${model}-${how}`, way));
    that(words(error), `${how}: the error has no words`);
  }
}

// ---- what only some can ----

async function twoToolsAreCalledAndTheirResultsReachTheAnswer(model, way) {
  const more = { prompt: twoTools, tools, stopWhen: stepCountIs(3) };
  for (const { steps, text } of [await generate(model, way, more), await streamed(model, way, more)]) {
    same(steps.map((step) => step.finishReason), ['tool-calls', 'stop'], 'finish reasons');
    same(steps[0].toolCalls.map((call) => [call.toolName, call.input.city]), calls, 'calls');
    quoted(text);
  }
}

async function aPictureArrivesAsItWasSent(model, way) {
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image', image: png, mediaType: 'image/png' },
  ];
  const { text } = await generate(model, way, { prompt: undefined, messages: [{ role: 'user', content }] });
  that(text.includes(pngSeen), `expected ${pngSeen} in ${text}`);
}

async function aSchemaShapesTheAnswer(model, way) {
  const more = { output: Output.object({ schema: Tram }) };
  Tram.parse((await generate(model, way, more)).output);
  Tram.parse(await (await streamed(model, way, more)).result.output);
}

async function anEffortHasTheModelThink(model, way) {
  const more = { providerOptions: ways[way][1], maxOutputTokens: 8000 };
  const [whole, stream] = [await generate(model, way, more), await streamed(model, way, more)];
  that(whole.text, 'the answer is empty');
  same(stream.text, whole.text, 'text after the thoughts');
  // OpenAI's own chat API does not tell its thoughts, and the SDK's provider for it reads nobody's.
  if (way === 'OpenAI chat' || (model.startsWith('openai/') && way !== 'OpenAI responses')) return;
  that(whole.reasoningText, 'the answer tells no thought');
  same(stream.reasoningText, whole.reasoningText, 'streamed thoughts');
}

async function thoughtsLeadToToolsAndBack(model, way) {
  const thinking = { maxOutputTokens: 8000, providerOptions: ways[way][1] };
  const more = { prompt: twoTools, tools, stopWhen: stepCountIs(3), ...thinking };
  for (const { steps, text } of [await generate(model, way, more), await streamed(model, way, more)]) {
    same(steps[0].toolCalls.map((call) => [call.toolName, call.input.city]), calls, 'calls');
    quoted(text);
  }
}

async function limitsAndRefusalsAreTold(model, way) {
  same((await generate(`${model}-length`, way)).finishReason, 'length', 'finish reason at the limit');
  same((await streamed(`${model}-length`, way)).finishReason, 'length', 'finish reason of a stream');
  if (way === 'OpenAI responses' && !model.startsWith('openai/')) {
    // Codex would try an incomplete response again; a failed one of this code it does not.
    const error = await fails(() => streamed(`${model}-refusal`, way));
    that(words(error).includes('filter'), `the error is ${words(error)}`);
    return;
  }
  same((await streamed(`${model}-refusal`, way)).finishReason, 'content-filter', 'finish reason of a refusal');
}

async function embeddingsAreMade(model, way) {
  const embedder = { 'OpenAI chat': openai, 'OpenAI-compatible': compatible }[way];
  if (!embedder || model.startsWith('claude/')) return;
  const values = ['one', 'two', 'tři'];
  const { embeddings } = await embedMany({ model: embedder.embeddingModel(model), values, maxRetries: 0 });
  same(embeddings.length, 3, 'vectors');
  that(embeddings.every((vector) => vector.length > 0), 'a vector is empty');
}

async function fails(call) {
  let found;
  try {
    found = await call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, found the answer ${JSON.stringify(found.text)} (${found.finishReason})`);
}

/** An error's words. Within a stream the SDK hands on the provider's JSON as it is, or its message alone. */
function words(error) {
  return error?.message ?? (typeof error === 'string' ? error : JSON.stringify(error));
}

const plain = [
  aTextIsGenerated,
  aStreamSaysWhatTheAnswerWould,
  aSystemPromptAndEarlierTurnsAreTaken,
  aSilentProviderIsWaitedFor,
  aStreamThatIsLeftEarlyLeavesTheClientUsable,
  errorsKeepTheirStatusAndMessage,
];
const further = [
  usageIsTold,
  aFailureAfterASilenceIsAnError,
  aStreamThatBreaksOffIsAnError,
  twoToolsAreCalledAndTheirResultsReachTheAnswer,
  aPictureArrivesAsItWasSent,
  aSchemaShapesTheAnswer,
  anEffortHasTheModelThink,
  thoughtsLeadToToolsAndBack,
  limitsAndRefusalsAreTold,
  embeddingsAreMade,
];
await prove(`ai ${sdk('ai/package.json').version} for Node`, plain, further, Object.keys(ways));
