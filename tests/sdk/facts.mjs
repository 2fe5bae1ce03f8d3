// What the scripts v1_*.mjs say about a running gateway, and how: facts, each proved for every model.
//
//     node tests/sdk/v1_openai.mjs http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo
//
// A fact is a function of a model's name, whose further words make the demo provider misbehave. Every
// one that does not hold is told, with what was expected and what was found.

import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

// scripts/test keeps the SDKs outside the repository; after `npm ci` in tests/sdk they are right here.
export const sdk = createRequire(`${process.env.TWINLANE_NODE_DIR ?? import.meta.dirname}/`);

const [address, token, ...models] = process.argv.slice(2);
export const gateway = address.replace(/\/$/, '');
export const key = token;

export const question = 'Say hello to Žižkov 🚋';
// Words on which the demo calls both of the tools it is offered, each about a city of its own.
export const twoTools = 'Use the tools for Oslo and Lisbon.';
export const results = { get_weather: 'Sněží, −7 °C ❄', get_time: '23:59 🕛' };
export const calls = [
  ['get_weather', 'Lisbon'],
  ['get_time', 'Oslo'],
];
export const city = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
/** How long a demo whose name says "slow" is silent, in milliseconds. */
export const silence = 1990;
/** The head of an answer that is kept alive comes before that. */
export const soon = 1900;

/** A picture of one pixel, in base64, and what the demo says of it: only the very bytes lead to this. */
export const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';
export const pngSeen = `image/png, ${Buffer.from(png, 'base64').length} bytes`;

export function that(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

export function same(found, expected, what) {
  const [f, e] = [JSON.stringify(found), JSON.stringify(expected)];
  that(isDeepStrictEqual(found, expected), `${what}: expected ${e}, found ${f}`);
}

export async function raises(kind, call) {
  let found;
  try {
    found = await call();
  } catch (error) {
    that(error instanceof kind, `expected ${kind.name}, found ${error.constructor.name}: ${error.message}`);
    return error;
  }
  throw new Error(`expected ${kind.name}, found the answer ${JSON.stringify(found)}`);
}

export function quoted(text) {
  for (const result of Object.values(results)) {
    that(text.includes(result), `the answer does not quote ${result}: ${text}`);
  }
}

export async function all(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The milliseconds since a call began. */
export function clock() {
  const began = performance.now();
  return () => performance.now() - began;
}

/** 1min.ai has neither tools nor schemas: of it only the plain facts are asked. */
function hasAFormatOfItsOwn(model) {
  return model.startsWith('onemin/');
}

/**
 * Proves the plain facts of every model, and the further ones of those that can hold them; in each of several ways,
 * where a library has more than one. Models and ways at the same time: much of it is waiting.
 */
export async function prove(title, plain, further, ways = ['']) {
  const pairs = ways.flatMap((way) => models.map((model) => [model, way]));
  const outcomes = await Promise.all(
    pairs.map(async ([model, way]) => {
      const found = [];
      for (const fact of hasAFormatOfItsOwn(model) ? plain : [...plain, ...further]) {
        found.push(await told(fact, model, way));
      }
      return found;
    }),
  );
  const count = (outcome) => outcomes.flat().filter((found) => found === outcome).length;
  console.log(`${title}: ${count(true)} facts are true, ${count(false)} are false`);
  process.exit(count(false) || !count(true) ? 1 : 0);
}

/** Whether a fact holds; undefined where TWINLANE_FACT names another. */
async function told(fact, model, way) {
  const name = fact.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const whole = `${model}${way && ` by ${way}`}: ${name}`;
  if (!whole.includes(process.env.TWINLANE_FACT ?? '')) return undefined;
  try {
    await fact(model, way);
  } catch (error) {
    console.log(`FALSE ${whole}\n${error?.constructor?.name}: ${error?.message}`);
    return false;
  }
  console.log(`true  ${whole}`);
  return true;
}
