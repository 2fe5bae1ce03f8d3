// Drives a gateway's unified API with OpenAI's SDK for Node, towards providers of several formats.
//
//     node tests/sdk/v1_openai.mjs http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo

import {
  all, calls, city, clock, gateway, key, png, pngSeen, prove, question, quoted, raises, results, same, sdk,
  silence, soon, that, twoTools,
} from './facts.mjs';

const OpenAI = sdk('openai').default;
const { zodResponseFormat } = sdk('openai/helpers/zod');
const { z } = sdk('zod');

const ai = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: key, maxRetries: 0, timeout: 60_000 });
const said = [{ role: 'user', content: question }];
const askedForTools = [{ role: 'user', content: twoTools }];
const functions = [
  { name: 'get_weather', description: 'The weather.', parameters: city },
  { name: 'get_time', description: 'The time.', parameters: city },
];
const tools = functions.map((one) => ({ type: 'function', function: one }));
const flatTools = functions.map((one) => ({ type: 'function', strict: false, ...one }));
const Tram = z.object({ line: z.number().int(), stops: z.array(z.string()) });

const chat = (model, more) => ai.chat.completions.create({ model, messages: said, ...more });
const streamed = async (model, more) => all(await chat(model, { stream: true, ...more }));
const respond = (model, more) => ai.responses.create({ model, input: question, ...more });

// ---- chat ----

async function aChatIsAnswered(model) {
  const answer = await chat(model);
  const [choice] = answer.choices;
  same([answer.object, choice.message.role, choice.finish_reason], ['chat.completion', 'assistant', 'stop'], 'answer');
  that(choice.message.content.includes(question), `the question is not quoted: ${choice.message.content}`);
  that(answer._request_id, 'the answer has no request id');
}

async function aStreamSaysWhatTheAnswerWould(model) {
  const chunks = await streamed(model);
  same(textOf(chunks), (await chat(model)).choices[0].message.content, 'text');
  same(finishOf(chunks), 'stop', 'finish reason');
  that(chunks.filter((chunk) => textOf([chunk])).length >= 2, 'the text came in one piece');
}

async function aStreamSaysItsUsageOnlyWhenAsked(model) {
  const without = await streamed(model);
  that(without.every((chunk) => !chunk.usage && chunk.choices.length), 'usage came without being asked for');
  const chunks = await streamed(model, { stream_options: { include_usage: true } });
  same(chunks.at(-1).choices, [], 'choices of the last chunk');
  that(chunks.slice(0, -1).every((chunk) => !chunk.usage), 'usage came before the last chunk');
  const { prompt_tokens, completion_tokens, total_tokens } = chunks.at(-1).usage;
  that(prompt_tokens > 0 && completion_tokens > 0, 'the last chunk counts no tokens');
  same(prompt_tokens + completion_tokens, total_tokens, 'sum of the tokens');
}

async function aSilentProviderIsWaitedFor(model) {
  const passed = clock();
  const stream = await chat(`${model}-slow`, { stream: true });
  that(passed() < soon, `the head took ${passed().toFixed()} ms: nothing kept the client alive`);
  const chunks = await all(stream);
  that(textOf(chunks), 'the streamed text is empty');
  same(finishOf(chunks), 'stop', 'finish reason');
  that(passed() >= silence, 'the demo was not silent at all');
}

async function aFailureAfterASilenceIsAnError(model) {
  const error = await raises(OpenAI.APIError, () => streamed(`${model}-slow-error-503`));
  that(error.message.includes('503'), `the message does not say what the provider said: ${error.message}`);
}

async function aStreamThatIsLeftEarlyLeavesTheClientUsable(model) {
  for await (const _ of await chat(`${model}-slow`, { stream: true })) break;
  await aChatIsAnswered(model);
}

async function errorsKeepTheirClassAndMessage(model) {
  const kinds = [
    [400, OpenAI.BadRequestError],
    [401, OpenAI.AuthenticationError],
    [403, OpenAI.PermissionDeniedError],
    [404, OpenAI.NotFoundError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
    [503, OpenAI.InternalServerError],
  ];
  for (const [status, kind] of kinds) {
    for (const stream of [false, true]) {
      const error = await raises(kind, () => chat(`${model}-error-${status}`, { stream }));
      same(error.status, status, 'status');
      that(error.error.message && error.message.includes(error.error.message), `message ${error.message}`);
      that(error.type && error.code !== undefined && error.param !== undefined, `a ${status} is not OpenAI's`);
      that(error.requestID, `a ${status} has no request id`);
    }
  }
}

async function aStreamThatBreaksOffIsAnError(model) {
  for (const how of ['cut', 'ended', 'overloaded']) {
    const stream = await chat(`${model}-${how}`, { stream: true });
    const error = await raises(OpenAI.APIError, () => all(stream));
    that(!(error instanceof OpenAI.APIConnectionError), `${how}: the connection broke`);
    that(error.message, `${how}: the error has no message`);
  }
}

// ---- what only some can ----

async function twoToolsAreCalledAndTheirResultsReachTheAnswer(model) {
  const whole = await chat(model, { messages: askedForTools, tools });
  const stream = ai.chat.completions.stream({ model, messages: askedForTools, tools });
  for (const answer of [whole, await stream.finalChatCompletion()]) {
    const [{ message, finish_reason }] = answer.choices;
    same(finish_reason, 'tool_calls', 'finish reason');
    same(callsOf(message.tool_calls.map((call) => call.function)), calls, 'calls');
    const told = message.tool_calls.map((call) => ({
      role: 'tool',
      tool_call_id: call.id,
      content: results[call.function.name],
    }));
    const reply = await chat(model, { messages: [...askedForTools, message, ...told], tools });
    quoted(reply.choices[0].message.content);
  }
}

async function toolsAreRunByTheSdkItself(model) {
  const run = (one) => ({ ...one, parse: JSON.parse, function: () => results[one.name] });
  const runner = ai.chat.completions.runTools({
    model,
    messages: askedForTools,
    stream: true,
    tools: functions.map((one) => ({ type: 'function', function: run(one) })),
  });
  quoted(await runner.finalContent());
}

async function aPictureArrivesAsItWasSent(model) {
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
  ];
  const answer = await chat(model, { messages: [{ role: 'user', content }] });
  const text = answer.choices[0].message.content;
  that(text.includes(pngSeen), `expected ${pngSeen} in ${text}`);
}

async function aSchemaShapesTheAnswer(model) {
  const response_format = zodResponseFormat(Tram, 'tram');
  const answer = await ai.chat.completions.parse({ model, messages: said, response_format });
  Tram.parse(answer.choices[0].message.parsed);
  const stream = ai.chat.completions.stream({ model, messages: said, response_format });
  Tram.parse((await stream.finalChatCompletion()).choices[0].message.parsed);
}

async function anEffortHasTheModelThink(model) {
  const more = { reasoning_effort: 'high', max_completion_tokens: 8000 };
  const answer = await chat(model, more);
  const chunks = await streamed(model, more);
  same(textOf(chunks), answer.choices[0].message.content, 'text after the thoughts');
  if (model.startsWith('openai/')) {
    // OpenAI's own chat API counts its thoughts and does not tell them.
    that(answer.usage.completion_tokens_details.reasoning_tokens > 0, 'no thoughts are counted');
    return;
  }
  const thought = answer.choices[0].message.reasoning_content;
  that(thought, 'the answer tells no thought');
  same(chunks.map((chunk) => chunk.choices[0]?.delta.reasoning_content ?? '').join(''), thought, 'streamed thoughts');
}

async function limitsStopsAndRefusalsAreTold(model) {
  same((await chat(model, { max_completion_tokens: 5 })).choices[0].finish_reason, 'length', 'reason at the limit');
  same(finishOf(await streamed(`${model}-length`)), 'length', 'reason of a stream at its limit');
  same(finishOf(await streamed(`${model}-refusal`)), 'content_filter', 'reason of a refusal');
  const [stopped] = (await chat(model, { stop: ['provider'] })).choices;
  same(stopped.message.content.trimEnd(), "This is Twinlane's demo", 'text before the stop');
}

// ---- responses and embeddings ----

async function aResponseIsAnsweredAndStreams(model) {
  const answer = await respond(model);
  same(answer.status, 'completed', 'status');
  that(answer.output_text.includes(question), `the question is not quoted: ${answer.output_text}`);
  const events = await all(await respond(model, { stream: true }));
  same([events[0].type, events.at(-1).type], ['response.created', 'response.completed'], 'first and last event');
  const deltas = events.filter((event) => event.type === 'response.output_text.delta');
  same(deltas.map((event) => event.delta).join(''), answer.output_text, 'pieces put together');
}

async function aResponseCallsTwoToolsAndReadsTheirResults(model) {
  const input = [{ role: 'user', content: twoTools }];
  const whole = await respond(model, { input, tools: flatTools });
  const final = await ai.responses.stream({ model, input, tools: flatTools }).finalResponse();
  for (const { output } of [whole, final]) {
    const called = output.filter((item) => item.type === 'function_call');
    same(callsOf(called), calls, 'calls');
    const told = called.map(({ call_id, name }) => ({ type: 'function_call_output', call_id, output: results[name] }));
    quoted((await respond(model, { input: [...input, ...output, ...told], tools: flatTools })).output_text);
  }
}

async function aSilentResponseIsWaitedFor(model) {
  const passed = clock();
  const stream = await respond(`${model}-slow`, { stream: true });
  that(passed() < soon, `the head took ${passed().toFixed()} ms: nothing kept the client alive`);
  same((await all(stream)).at(-1).type, 'response.completed', 'last event');
  that(passed() >= silence, 'the demo was not silent at all');
}

/** This SDK asks for base64 by itself, and reads whatever comes as such. */
async function embeddingsAreMadeOrRefused(model) {
  const embed = (more) => ai.embeddings.create({ model, input: ['one', 'two', 'tři'], ...more });
  if (model.startsWith('claude/')) {
    await raises(OpenAI.BadRequestError, embed);
    return;
  }
  const [packed, plain] = [await embed(), await embed({ encoding_format: 'float' })];
  same(packed.data.length, 3, 'vectors');
  const [one, two] = [packed.data[0].embedding, plain.data[0].embedding];
  that(one.length > 0, 'the vector is empty');
  same(one.length, two.length, 'numbers in a vector');
  that(one.every((number, i) => Math.abs(number - two[i]) < 1e-6), 'base64 and floats differ');
}

function callsOf(made) {
  return made.map((call) => [call.name, JSON.parse(call.arguments).city]);
}

function textOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

function finishOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.finish_reason).find(Boolean);
}

const plain = [
  aChatIsAnswered,
  aStreamSaysWhatTheAnswerWould,
  aSilentProviderIsWaitedFor,
  aStreamThatIsLeftEarlyLeavesTheClientUsable,
  errorsKeepTheirClassAndMessage,
];
const further = [
  aStreamSaysItsUsageOnlyWhenAsked,
  aFailureAfterASilenceIsAnError,
  aStreamThatBreaksOffIsAnError,
  twoToolsAreCalledAndTheirResultsReachTheAnswer,
  toolsAreRunByTheSdkItself,
  aPictureArrivesAsItWasSent,
  aSchemaShapesTheAnswer,
  anEffortHasTheModelThink,
  limitsStopsAndRefusalsAreTold,
  aResponseIsAnsweredAndStreams,
  aResponseCallsTwoToolsAndReadsTheirResults,
  aSilentResponseIsWaitedFor,
  embeddingsAreMadeOrRefused,
];
await prove(`openai ${sdk('openai/version').VERSION} for Node`, plain, further);
