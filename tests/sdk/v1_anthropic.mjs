// Drives a gateway's unified API with Anthropic's SDK for Node, towards providers of several formats.
//
//     node tests/sdk/v1_anthropic.mjs http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo

import {
  all, calls, city, clock, gateway, key, png, pngSeen, prove, question, quoted, raises, results, same, sdk,
  silence, soon, that, twoTools,
} from './facts.mjs';

const Anthropic = sdk('@anthropic-ai/sdk').default;

const ai = new Anthropic({ baseURL: gateway, apiKey: key, maxRetries: 0, timeout: 60_000 });
const said = [{ role: 'user', content: question }];
const askedForTools = [{ role: 'user', content: twoTools }];
const tools = [
  { name: 'get_weather', description: 'The weather.', input_schema: city },
  { name: 'get_time', description: 'The time.', input_schema: city },
];
const schema = {
  type: 'object',
  properties: { line: { type: 'integer' }, stops: { type: 'array', items: { type: 'string' } } },
  required: ['line', 'stops'],
  additionalProperties: false,
};

const asked = (model, more) => ({ model, max_tokens: 1000, messages: said, ...more });
const create = (model, more) => ai.messages.create(asked(model, more));
const stream = (model, more) => ai.messages.stream(asked(model, more));
const final = (model, more) => stream(model, more).finalMessage();

// ---- messages ----

async function aMessageIsAnswered(model) {
  const answer = await create(model);
  same([answer.type, answer.role, answer.stop_reason], ['message', 'assistant', 'end_turn'], 'answer');
  that(textOf(answer).includes(question), `the question is not quoted: ${textOf(answer)}`);
  that(answer._request_id, 'the answer has no request id');
}

async function aStreamSaysWhatTheAnswerWould(model) {
  const kinds = (await all(await create(model, { stream: true }))).map((event) => event.type);
  same(kinds.slice(0, 2), ['message_start', 'content_block_start'], 'first events');
  same(kinds.slice(-3), ['content_block_stop', 'message_delta', 'message_stop'], 'last events');
  const pieces = stream(model);
  let text = '';
  pieces.on('text', (piece) => (text += piece));
  const message = await pieces.finalMessage();
  same([textOf(message), message.stop_reason], [text, 'end_turn'], 'message put together');
  same(textOf(await create(model)), text, 'text');
}

async function aMessageSaysItsUsage(model) {
  for (const { usage } of [await create(model), await final(model)]) {
    that(usage.input_tokens > 0 && usage.output_tokens > 0, `tokens ${JSON.stringify(usage)}`);
  }
}

async function aSilentProviderIsWaitedFor(model) {
  const passed = clock();
  const events = await create(`${model}-slow`, { stream: true });
  that(passed() < soon, `the head took ${passed().toFixed()} ms: nothing kept the client alive`);
  same((await all(events)).at(-1).type, 'message_stop', 'last event');
  that(passed() >= silence, 'the demo was not silent at all');
  that(textOf(await final(`${model}-slow`)), 'the message put together is empty');
}

async function aFailureAfterASilenceIsAnError(model) {
  const error = await raises(Anthropic.APIError, async () => all(await create(`${model}-slow-error-503`, { stream: true })));
  that(error.message.includes('503'), `the message does not say what the provider said: ${error.message}`);
}

async function aStreamThatIsLeftEarlyLeavesTheClientUsable(model) {
  for await (const _ of await create(`${model}-slow`, { stream: true })) break;
  await aMessageIsAnswered(model);
}

async function errorsKeepTheirClassAndType(model) {
  const kinds = [
    [400, Anthropic.BadRequestError, 'invalid_request_error'],
    [401, Anthropic.AuthenticationError, 'authentication_error'],
    [403, Anthropic.PermissionDeniedError, 'permission_error'],
    [404, Anthropic.NotFoundError, 'not_found_error'],
    [429, Anthropic.RateLimitError, 'rate_limit_error'],
    [500, Anthropic.InternalServerError, 'api_error'],
  ];
  for (const [status, kind, type] of kinds) {
    for (const stream of [false, true]) {
      const error = await raises(kind, () => create(`${model}-error-${status}`, { stream }));
      same([error.status, error.error.error.type], [status, type], 'status and type');
      that(error.error.error.message, `a ${status} has no message`);
      that(error.requestID, `a ${status} has no request id`);
    }
  }
}

async function aStreamThatBreaksOffIsAnError(model) {
  for (const how of ['cut', 'ended', 'overloaded']) {
    const events = await create(`${model}-${how}`, { stream: true });
    const error = await raises(Anthropic.APIError, () => all(events));
    that(error.message && !(error instanceof Anthropic.APIConnectionError), `${how}: ${error.message}`);
  }
}

// ---- what only some can ----

async function twoToolsAreCalledAndTheirResultsReachTheAnswer(model) {
  const more = { messages: askedForTools, tools };
  for (const answer of [await create(model, more), await final(model, more)]) {
    same(answer.stop_reason, 'tool_use', 'stop reason');
    const used = answer.content.filter((block) => block.type === 'tool_use');
    same(used.map((block) => [block.name, block.input.city]), calls, 'calls');
    const told = used.map(({ id, name }) => ({ type: 'tool_result', tool_use_id: id, content: results[name] }));
    const messages = [
      ...askedForTools,
      { role: 'assistant', content: answer.content },
      { role: 'user', content: told },
    ];
    quoted(textOf(await create(model, { messages, tools })));
  }
}

async function toolsAreRunByTheSdkItself(model) {
  const run = (tool) => ({ type: 'custom', ...tool, parse: (input) => input, run: () => results[tool.name] });
  const more = { messages: askedForTools, tools: tools.map(run), thread: false };
  quoted(textOf(await ai.beta.messages.toolRunner(asked(model, more))));
}

/** A thread is kept by Anthropic. A provider that forgot it would answer the next turn without the ones before. */
async function aThreadIsRefusedRatherThanForgotten(model) {
  // The demo, which is Claude here, knows no threads.
  const error = await raises(Anthropic.BadRequestError, () => create(model, { thread: { type: 'create' } }));
  that(error.message.includes('thread'), `the message does not name it: ${error.message}`);
}

async function aPictureArrivesAsItWasSent(model) {
  const source = { type: 'base64', media_type: 'image/png', data: png };
  const content = [{ type: 'image', source }, { type: 'text', text: 'What is this?' }];
  const text = textOf(await create(model, { messages: [{ role: 'user', content }] }));
  that(text.includes(pngSeen), `expected ${pngSeen} in ${text}`);
}

async function aSchemaShapesTheAnswer(model) {
  const more = { output_config: { format: { type: 'json_schema', schema } } };
  for (const answer of [await create(model, more), await final(model, more)]) {
    same(Object.keys(JSON.parse(textOf(answer))).sort(), ['line', 'stops'], 'names of the answer');
  }
}

async function aBudgetHasTheModelThink(model) {
  const more = { max_tokens: 8000, thinking: { type: 'enabled', budget_tokens: 2000 } };
  const [whole, streamed] = [await create(model, more), await final(model, more)];
  same(textOf(streamed), textOf(whole), 'text after the thoughts');
  // OpenAI's own chat API does not tell its thoughts.
  if (model.startsWith('openai/')) return;
  const blocks = ({ content }) => content.map((block) => [block.type, block.thinking ?? block.text]);
  same(blocks(whole).map(([type]) => type), ['thinking', 'text'], 'blocks');
  same(blocks(streamed), blocks(whole), 'streamed blocks');
}

async function limitsStopsAndRefusalsAreTold(model) {
  same((await create(model, { max_tokens: 5 })).stop_reason, 'max_tokens', 'stop reason at the limit');
  same((await final(`${model}-length`)).stop_reason, 'max_tokens', 'stop reason of a stream at its limit');
  same((await final(`${model}-refusal`)).stop_reason, 'refusal', 'stop reason of a refusal');
  const stopped = await create(model, { stop_sequences: ['provider'] });
  same(textOf(stopped).trimEnd(), "This is Twinlane's demo", 'text before the stop');
}

async function tokensAreCountedAndModelsListed(model) {
  const counted = await ai.messages.countTokens({ model, messages: said, tools });
  that(counted.input_tokens > 10, `${counted.input_tokens} tokens are too few`);
  const models = await all(ai.models.list());
  that(models.length > 0 && models.every((one) => one.type === 'model' && one.display_name), 'these are no models');
}

function textOf(message) {
  return message.content.map((block) => block.text ?? '').join('');
}

const plain = [
  aMessageIsAnswered,
  aStreamSaysWhatTheAnswerWould,
  aSilentProviderIsWaitedFor,
  aStreamThatIsLeftEarlyLeavesTheClientUsable,
  errorsKeepTheirClassAndType,
];
const further = [
  aMessageSaysItsUsage,
  aFailureAfterASilenceIsAnError,
  aStreamThatBreaksOffIsAnError,
  twoToolsAreCalledAndTheirResultsReachTheAnswer,
  toolsAreRunByTheSdkItself,
  aThreadIsRefusedRatherThanForgotten,
  aPictureArrivesAsItWasSent,
  aSchemaShapesTheAnswer,
  aBudgetHasTheModelThink,
  limitsStopsAndRefusalsAreTold,
  tokensAreCountedAndModelsListed,
];
await prove(`anthropic ${sdk('@anthropic-ai/sdk/version').VERSION} for Node`, plain, further);
