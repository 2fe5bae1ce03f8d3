// Drives a running gateway with Anthropic's SDK for Node, the way a program does.
//
//     node tests/sdk/anthropic_node.mjs http://127.0.0.1:3000
//
// Every function in FACTS is one fact, proved against the demo provider behind the gateway. The first
// one that does not hold ends the run with what was expected and what was found.

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

// scripts/test keeps the SDKs outside the repository; after `npm ci` in tests/sdk they are right here.
const sdk = createRequire(`${process.env.TWINLANE_NODE_DIR ?? import.meta.dirname}/`);
const Anthropic = sdk('@anthropic-ai/sdk').default;

const gateway = process.argv[2].replace(/\/$/, '');
const service = gateway + (process.env.TWINLANE_PREFIX ?? '/gateway/demo');
const asked = { model: 'demo', max_tokens: 256 };

const question = [{ role: 'user', content: 'Say hello to Žižkov 🚋' }];
const twoCities = [{ role: 'user', content: 'Compare the weather in Oslo and Lisbon.' }];
const tools = [
  {
    name: 'get_weather',
    description: 'The weather in a city.',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];

/** How long a provider has to be silent before the gateway speaks in its place, in milliseconds. */
const silence = process.env.TWINLANE_SILENCE_MS ?? '11000';

/** A client, and every answer it was given: retried ones included. */
function client(maxRetries = 0) {
  const answers = [];
  const ai = new Anthropic({
    baseURL: service,
    apiKey: process.env.TWINLANE_TOKEN ?? 'sk-demo',
    maxRetries,
    timeout: 60_000,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      answers.push(answer);
      return answer;
    },
  });
  return { ai, answers };
}

const { ai } = client();
const create = (more, headers) => ai.messages.create({ ...asked, messages: question, ...more }, { headers });
const stream = (more, headers) => ai.messages.stream({ ...asked, messages: question, ...more }, { headers });

// ---- messages ----

async function aMessageIsAnswered() {
  const message = await create();
  same(message.type, 'message', 'type');
  same(message.role, 'assistant', 'role');
  same(message.stop_reason, 'end_turn', 'stop reason');
  that(textOf(message), 'the answer is empty');
  that(message._request_id, 'the answer has no request id');
  that(message.usage.output_tokens > 0, 'the answer counts no tokens');
}

async function aStreamArrivesEventByEvent() {
  const kinds = [];
  const arrivals = [];
  const slowly = { 'x-demo-chunks': '8', 'x-demo-chunk-delay-ms': '60' };
  for await (const event of await create({ stream: true }, slowly)) {
    kinds.push(event.type);
    arrivals.push(performance.now());
  }
  same(kinds.slice(0, 2), ['message_start', 'content_block_start'], 'first events');
  same(kinds.slice(-3), ['content_block_stop', 'message_delta', 'message_stop'], 'last events');
  same([...new Set(kinds.slice(2, -3))], ['content_block_delta'], 'events between');
  spreadOut(arrivals, 300);
}

async function aStreamedMessageAddsUp() {
  const messages = stream();
  let text = '';
  messages.on('text', (piece) => (text += piece));
  const message = await messages.finalMessage();
  that(text, 'the streamed text is empty');
  same(textOf(message), text, 'pieces put together');
  same(message.stop_reason, 'end_turn', 'stop reason');
}

async function aStreamThatIsLeftEarlyLeavesTheClientUsable() {
  const slowly = { 'x-demo-chunks': '100', 'x-demo-chunk-delay-ms': '50' };
  for await (const _ of await create({ stream: true }, slowly)) break;
  await aMessageIsAnswered();
}

async function aSilentProviderIsWaitedFor() {
  const began = performance.now();
  const message = await stream({}, { 'x-demo-delay-ms': silence }).finalMessage();
  that(textOf(message), 'the answer is empty');
  that(performance.now() - began >= Number(silence) - 10, 'the demo was not silent at all');
}

async function tokensAreCounted() {
  const counted = await ai.messages.countTokens({ model: asked.model, messages: question });
  that(counted.input_tokens > 0, 'no tokens were counted');
}

async function modelsAreListedInAnthropicsOwnShape() {
  const models = await all(ai.models.list());
  that(models.length > 0, 'no model is listed');
  that(models.every((model) => model.type === 'model'), 'one of them is no model');
  that(models[0].display_name, 'the model has no display name');
}

// ---- tools ----

async function aToolIsCalledAndItsResultReachesTheAnswer() {
  const messages = [{ role: 'user', content: 'What is the weather in Oslo?' }];
  const first = await create({ messages, tools });
  same(first.stop_reason, 'tool_use', 'stop reason');
  const calls = toolCalls(first);
  same(calls.map((call) => call.name), ['get_weather'], 'tools called');
  same(cities(calls), ['Oslo'], 'cities asked about');
  const result = { type: 'tool_result', tool_use_id: calls[0].id, content: 'Sněží, −7 °C ❄' };
  messages.push({ role: 'assistant', content: first.content });
  messages.push({ role: 'user', content: [result] });
  const answer = await create({ messages, tools });
  same(answer.stop_reason, 'end_turn', 'stop reason after the tool');
  const text = textOf(answer);
  that(text.includes('Sněží, −7 °C ❄'), `the answer does not quote the tool: ${text}`);
}

async function twoToolsAreCalledInParallel() {
  const calls = toolCalls(await create({ messages: twoCities, tools }));
  same(cities(calls), ['Lisbon', 'Oslo'], 'cities asked about');
  that(calls[0].id !== calls[1].id, 'two calls share an id');
}

async function streamedToolCallsAddUp() {
  const message = await stream({ messages: twoCities, tools }).finalMessage();
  same(message.stop_reason, 'tool_use', 'stop reason');
  same(cities(toolCalls(message)), ['Lisbon', 'Oslo'], 'cities asked about');
}

function toolCalls(message) {
  return message.content.filter((block) => block.type === 'tool_use');
}

function cities(calls) {
  return calls.map((call) => call.input.city).sort();
}

// ---- errors and retries ----

async function errorsKeepTheirClassTypeAndId() {
  const kinds = [
    [401, Anthropic.AuthenticationError, 'authentication_error'],
    [404, Anthropic.NotFoundError, 'not_found_error'],
    [429, Anthropic.RateLimitError, 'rate_limit_error'],
    [500, Anthropic.InternalServerError, 'api_error'],
    [503, Anthropic.InternalServerError, 'api_error'],
    [529, Anthropic.InternalServerError, 'overloaded_error'],
  ];
  for (const [status, kind, type] of kinds) {
    const error = await raises(kind, () => create({}, { 'x-demo-status': String(status) }));
    same(error.status, status, 'status');
    same(error.error.error.type, type, `type of a ${status}`);
    that(error.requestID, `a ${status} has no request id`);
  }
}

async function anAlwaysFailingCallIsSentThreeTimesInAll() {
  const { ai, answers } = client(2);
  await raises(Anthropic.InternalServerError, () => messageWith(ai, { 'x-demo-status': '500' }));
  const attempts = answers.map((answer) => Number(answer.headers.get('x-attempts') ?? 1));
  same(attempts, [1, 1, 1], "attempts behind each of the SDK's three tries");
}

async function retryAfterIsWaitedOut() {
  const { ai, answers } = client(2);
  const busy = { 'x-demo-status': '429', 'x-demo-retry-after': '1' };
  const once = { 'x-demo-times': '1', 'x-demo-key': randomBytes(8).toString('hex') };
  const began = performance.now();
  await messageWith(ai, { ...busy, ...once });
  same(answers.map((answer) => answer.status), [429, 200], 'statuses');
  that(performance.now() - began >= 990, 'the SDK did not wait the second it was asked for');
}

async function aStreamThatIsCutIsAnError() {
  for (const cut of ['body', 'body-reset', 'clean']) {
    const how = { 'x-demo-cut': cut, 'x-demo-cut-after': '4', 'x-demo-chunks': '8' };
    const messages = await create({ stream: true }, how);
    const error = await raises(Anthropic.APIError, () => all(messages));
    that(error.type, `cut '${cut}': the error has no type`);
  }
}

function messageWith(ai, headers) {
  return ai.messages.create({ ...asked, messages: question }, { headers });
}

// ---- small words ----

function textOf(message) {
  return message.content.map((block) => block.text ?? '').join('');
}

function that(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

function same(found, expected, what) {
  const [f, e] = [JSON.stringify(found), JSON.stringify(expected)];
  that(isDeepStrictEqual(found, expected), `${what}: expected ${e}, found ${f}`);
}

async function raises(kind, call) {
  let found;
  try {
    found = await call();
  } catch (error) {
    that(error instanceof kind, `expected ${kind.name}, found ${error.constructor.name}: ${error.message}`);
    return error;
  }
  throw new Error(`expected ${kind.name}, found the answer ${JSON.stringify(found)}`);
}

function spreadOut(arrivals, atLeast) {
  const took = arrivals.at(-1) - arrivals[0];
  that(took >= atLeast, `${arrivals.length} events came within ${took.toFixed()} ms: they were held back`);
}

async function all(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

const FACTS = [
  aMessageIsAnswered,
  aStreamArrivesEventByEvent,
  aStreamedMessageAddsUp,
  aStreamThatIsLeftEarlyLeavesTheClientUsable,
  aSilentProviderIsWaitedFor,
  tokensAreCounted,
  modelsAreListedInAnthropicsOwnShape,
  aToolIsCalledAndItsResultReachesTheAnswer,
  twoToolsAreCalledInParallel,
  streamedToolCallsAddUp,
  errorsKeepTheirClassTypeAndId,
  anAlwaysFailingCallIsSentThreeTimesInAll,
  retryAfterIsWaitedOut,
  aStreamThatIsCutIsAnError,
];

for (const fact of FACTS) {
  const name = fact.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  try {
    await fact();
  } catch (error) {
    console.error(`FALSE ${name}\n${error.constructor.name}: ${error.message}`);
    process.exit(1);
  }
  console.log(`true  ${name}`);
}
console.log(`anthropic ${sdk('@anthropic-ai/sdk/version').VERSION} for Node: ${FACTS.length} facts`);
