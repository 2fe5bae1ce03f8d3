// Drives a running gateway with OpenAI's SDK for Node, the way a program does.
//
//     node tests/sdk/openai_node.mjs http://127.0.0.1:3000
//
// Every function in FACTS is one fact, proved against the demo provider behind the gateway. The first
// one that does not hold ends the run with what was expected and what was found.

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

// scripts/test keeps the SDKs outside the repository; after `npm ci` in tests/sdk they are right here.
const sdk = createRequire(`${process.env.TWINLANE_NODE_DIR ?? import.meta.dirname}/`);
const OpenAI = sdk('openai').default;
const { toFile } = sdk('openai');

const gateway = process.argv[2].replace(/\/$/, '');
const service = gateway + (process.env.TWINLANE_PREFIX ?? '/gateway/demo');
const model = 'demo';
/** How long a provider has to be silent before the gateway speaks in its place, in milliseconds. */
const silence = process.env.TWINLANE_SILENCE_MS ?? '11000';

const question = [{ role: 'user', content: 'Say hello to Žižkov 🚋' }];
const twoCities = [{ role: 'user', content: 'Compare the weather in Oslo and Lisbon.' }];
const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather in a city.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

/** A client, and every answer it was given: retried ones included. */
function client(maxRetries = 0) {
  const answers = [];
  const ai = new OpenAI({
    baseURL: `${service}/v1`,
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
const chat = (more, headers) => ai.chat.completions.create({ model, messages: question, ...more }, { headers });

// ---- chat ----

async function aChatIsAnswered() {
  const answer = await chat();
  const [choice] = answer.choices;
  same(answer.object, 'chat.completion', 'object');
  same(choice.message.role, 'assistant', 'role');
  same(choice.finish_reason, 'stop', 'finish reason');
  that(choice.message.content, 'the answer is empty');
  that(answer._request_id, 'the answer has no request id');
  const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
  same(prompt_tokens + completion_tokens, total_tokens, 'sum of the tokens');
}

async function aStreamArrivesPieceByPiece() {
  const slowly = { 'x-demo-chunks': '8', 'x-demo-chunk-delay-ms': '80' };
  const pieces = [];
  const arrivals = [];
  let finish;
  for await (const chunk of await chat({ stream: true }, slowly)) {
    arrivals.push(performance.now());
    for (const choice of chunk.choices) {
      pieces.push(choice.delta.content ?? '');
      finish = choice.finish_reason ?? finish;
    }
    that(!chunk.usage, 'usage came without being asked for');
  }
  that(pieces.join(''), 'the streamed text is empty');
  that(pieces.filter(Boolean).length >= 2, `one piece only: ${JSON.stringify(pieces)}`);
  same(finish, 'stop', 'finish reason');
  spreadOut(arrivals, 300);
}

async function aStreamSaysItsUsageWhenAsked() {
  const chunks = await all(await chat({ stream: true, stream_options: { include_usage: true } }));
  same(chunks.at(-1).choices, [], 'choices of the last chunk');
  that(chunks.at(-1).usage.total_tokens > 0, 'the last chunk counts no tokens');
  that(chunks.slice(0, -1).every((chunk) => !chunk.usage), 'usage came before the last chunk');
}

async function aStreamThatIsLeftEarlyLeavesTheClientUsable() {
  const stream = await chat({ stream: true }, { 'x-demo-chunks': '100', 'x-demo-chunk-delay-ms': '50' });
  for await (const _ of stream) break;
  await aChatIsAnswered();
}

async function aSilentProviderIsWaitedFor() {
  const began = performance.now();
  const chunks = await all(await chat({ stream: true }, { 'x-demo-delay-ms': silence }));
  that(chunks.some((chunk) => chunk.choices[0]?.delta.content), 'the streamed text is empty');
  that(performance.now() - began >= Number(silence) - 10, 'the demo was not silent at all');
}

async function aFailureAfterASilenceIsAnError() {
  const how = { 'x-demo-delay-ms': silence, 'x-demo-status': '503' };
  const error = await raises(OpenAI.APIError, async () => all(await chat({ stream: true }, how)));
  that(error.message.includes('503'), `the message does not say what the provider said: ${error.message}`);
}

// ---- tools ----

async function aToolIsCalledAndItsResultReachesTheAnswer() {
  const messages = [{ role: 'user', content: 'What is the weather in Oslo?' }];
  const first = await chat({ messages, tools });
  same(first.choices[0].finish_reason, 'tool_calls', 'finish reason');
  const calls = first.choices[0].message.tool_calls;
  same(calls.map((call) => call.function.name), ['get_weather'], 'tools called');
  same(cities(calls), ['Oslo'], 'cities asked about');
  messages.push(first.choices[0].message);
  messages.push({ role: 'tool', tool_call_id: calls[0].id, content: 'Sněží, −7 °C ❄' });
  const answer = await chat({ messages, tools });
  same(answer.choices[0].finish_reason, 'stop', 'finish reason after the tool');
  const text = answer.choices[0].message.content;
  that(text.includes('Sněží, −7 °C ❄'), `the answer does not quote the tool: ${text}`);
}

async function twoToolsAreCalledInParallel() {
  const answer = await chat({ messages: twoCities, tools });
  const calls = answer.choices[0].message.tool_calls;
  same(cities(calls), ['Lisbon', 'Oslo'], 'cities asked about');
  that(calls[0].id !== calls[1].id, 'two calls share an id');
}

async function streamedToolCallsAddUp() {
  const stream = ai.chat.completions.stream({ model, messages: twoCities, tools });
  const answer = await stream.finalChatCompletion();
  same(answer.choices[0].finish_reason, 'tool_calls', 'finish reason');
  same(cities(answer.choices[0].message.tool_calls), ['Lisbon', 'Oslo'], 'cities asked about');
}

function cities(calls) {
  return calls.map((call) => JSON.parse(call.function.arguments).city).sort();
}

async function jsonModeAnswersWithJson() {
  const answer = await chat({ response_format: { type: 'json_object' } });
  const value = JSON.parse(answer.choices[0].message.content);
  that(value && typeof value === 'object' && !Array.isArray(value), `not an object: ${JSON.stringify(value)}`);
}

// ---- the other endpoints ----

async function embeddingsHaveOneVectorPerInput() {
  const answer = await ai.embeddings.create({ model, input: ['one', 'two', 'tři'] });
  same(answer.data.map((item) => item.index), [0, 1, 2], 'indices');
  const lengths = new Set(answer.data.map((item) => item.embedding.length));
  that(lengths.size === 1 && !lengths.has(0), `vectors of lengths ${[...lengths]}`);
  that(answer.data[0].embedding.some((number) => number !== 0), 'the vector is all zeros');
}

async function anImageIsAPng() {
  const answer = await ai.images.generate({ model, prompt: 'a tram', response_format: 'b64_json' });
  const image = Buffer.from(answer.data[0].b64_json, 'base64');
  same(image.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n', 'first bytes');
  that(image.subarray(-12).includes('IEND'), 'the PNG has no end');
}

async function modelsAreListedAndFoundByName() {
  const models = await all(ai.models.list());
  that(models.length > 0, 'no model is listed');
  const found = await ai.models.retrieve(models[0].id);
  same(found.id, models[0].id, 'id of the model');
  same(found.object, 'model', 'object');
}

async function aFileComesBackByteForByte() {
  const sent = randomBytes(3 * 1024 * 1024);
  const upload = await toFile(sent, 'náhodný soubor.bin');
  const file = await ai.files.create({ file: upload, purpose: 'user_data' });
  same(file.bytes, sent.length, 'size of the file');
  same(file.filename, 'náhodný soubor.bin', 'name of the file');
  same((await ai.files.retrieve(file.id)).id, file.id, 'id of the file');
  const found = await bytes(await ai.files.content(file.id));
  that(found.equals(sent), `${sent.length} bytes went in and ${found.length} other bytes came out`);
  that((await ai.files.delete(file.id)).deleted, 'the file was not deleted');
  await raises(OpenAI.NotFoundError, () => ai.files.retrieve(file.id));
}

async function speechIsBinary() {
  const speech = { model, voice: 'alloy', input: 'Dobrý den', response_format: 'wav' };
  const answer = await ai.audio.speech.create(speech);
  const sound = await bytes(answer);
  same(sound.subarray(0, 4).toString(), 'RIFF', 'first bytes');
  that(sound.length > 44, 'the sound is empty');
  const kind = answer.headers.get('content-type');
  that(kind.startsWith('audio/'), `content type ${kind}`);
}

async function anUploadedRecordingIsTranscribed() {
  const recording = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), randomBytes(64 * 1024)]);
  const file = await toFile(recording, 'dobrý den.wav', { type: 'audio/wav' });
  const answer = await ai.audio.transcriptions.create({ model, file });
  const heard = `${recording.length} bytes arrived, audio/wav`;
  that(answer.text.includes(heard), `expected '${heard}' in '${answer.text}'`);
}

async function aTextIsModerated() {
  const answer = await ai.moderations.create({ input: 'a harmless text' });
  same(answer.results.map((result) => result.flagged), [false], 'flags');
}

// ---- responses ----

async function aResponseIsAnswered() {
  const answer = await ai.responses.create({ model, input: 'Say hello' });
  same(answer.status, 'completed', 'status');
  that(answer.output_text, 'the answer is empty');
  that(answer.usage.total_tokens > 0, 'the answer counts no tokens');
}

async function aStreamedResponseAddsUp() {
  const events = await all(await ai.responses.create({ model, input: 'Say hello', stream: true }));
  same(events[0].type, 'response.created', 'first event');
  same(events.at(-1).type, 'response.completed', 'last event');
  const deltas = events.filter((event) => event.type === 'response.output_text.delta');
  const text = deltas.map((event) => event.delta).join('');
  that(text, 'the streamed text is empty');
  const [message] = events.at(-1).response.output.filter((item) => item.type === 'message');
  same(text, message.content[0].text, 'pieces put together');
}

// ---- errors and retries ----

async function errorsKeepTheirClassMessageAndId() {
  const kinds = {
    401: OpenAI.AuthenticationError,
    404: OpenAI.NotFoundError,
    429: OpenAI.RateLimitError,
    500: OpenAI.InternalServerError,
    503: OpenAI.InternalServerError,
  };
  for (const [status, kind] of Object.entries(kinds)) {
    const error = await raises(kind, () => chat({}, { 'x-demo-status': status }));
    same(error.status, Number(status), 'status');
    that(error.requestID, `a ${status} has no request id`);
    that(error.type, `a ${status} has no type`);
    that(error.error?.message && error.message.includes(error.error.message), `message '${error.message}'`);
  }
}

async function anAlwaysFailingCallIsSentThreeTimesInAll() {
  const { ai, answers } = client(2);
  await raises(OpenAI.InternalServerError, () => chatWith(ai, { 'x-demo-status': '500' }));
  const attempts = answers.map((answer) => Number(answer.headers.get('x-attempts') ?? 1));
  same(attempts, [1, 1, 1], "attempts behind each of the SDK's three tries");
}

async function aProviderThatRecoversIsReachedByTheSdksOwnRetry() {
  const { ai, answers } = client(2);
  await chatWith(ai, { 'x-demo-status': '503', ...once() });
  same(answers.map((answer) => answer.status), [503, 200], 'statuses');
}

async function retryAfterIsWaitedOut() {
  const { ai, answers } = client(2);
  const began = performance.now();
  await chatWith(ai, { 'x-demo-status': '429', 'x-demo-retry-after': '1', ...once() });
  same(answers.map((answer) => answer.status), [429, 200], 'statuses');
  same(answers[0].headers.get('retry-after'), '1', 'retry-after');
  that(performance.now() - began >= 990, 'the SDK did not wait the second it was asked for');
}

async function aStreamThatIsCutIsAnError() {
  for (const cut of ['body', 'body-reset', 'clean']) {
    const how = { 'x-demo-cut': cut, 'x-demo-cut-after': '3', 'x-demo-chunks': '8' };
    const stream = await chat({ stream: true }, how);
    const error = await raises(OpenAI.APIError, () => all(stream));
    that(error.message, `cut '${cut}': the error has no message`);
  }
}

function chatWith(ai, headers) {
  return ai.chat.completions.create({ model, messages: question }, { headers });
}

/** Misbehave on the first call that carries this key, and never again. */
function once() {
  return { 'x-demo-times': '1', 'x-demo-key': randomBytes(8).toString('hex') };
}

// ---- small words ----

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
  that(took >= atLeast, `${arrivals.length} chunks came within ${took.toFixed()} ms: they were held back`);
}

async function all(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

async function bytes(answer) {
  return Buffer.from(await answer.arrayBuffer());
}

const FACTS = [
  aChatIsAnswered,
  aStreamArrivesPieceByPiece,
  aStreamSaysItsUsageWhenAsked,
  aStreamThatIsLeftEarlyLeavesTheClientUsable,
  aSilentProviderIsWaitedFor,
  aFailureAfterASilenceIsAnError,
  aToolIsCalledAndItsResultReachesTheAnswer,
  twoToolsAreCalledInParallel,
  streamedToolCallsAddUp,
  jsonModeAnswersWithJson,
  embeddingsHaveOneVectorPerInput,
  anImageIsAPng,
  modelsAreListedAndFoundByName,
  aFileComesBackByteForByte,
  speechIsBinary,
  anUploadedRecordingIsTranscribed,
  aTextIsModerated,
  aResponseIsAnswered,
  aStreamedResponseAddsUp,
  errorsKeepTheirClassMessageAndId,
  anAlwaysFailingCallIsSentThreeTimesInAll,
  aProviderThatRecoversIsReachedByTheSdksOwnRetry,
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
console.log(`openai ${sdk('openai/version').VERSION} for Node: ${FACTS.length} facts`);
