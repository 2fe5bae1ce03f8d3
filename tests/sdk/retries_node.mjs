// Makes one chat call with OpenAI's SDK for Node and says how it went, in one line of JSON.
//
//     node tests/sdk/retries_node.mjs http://127.0.0.1:3000/gateway/demo/v1 '{"x-demo-status":"500"}' 2
//
// The arguments are the base URL of a service, the headers that make the provider misbehave, and the
// SDK's maxRetries. Whoever runs this counts, at the provider, how many calls arrived.

import { createRequire } from 'node:module';

// scripts/test keeps the SDKs outside the repository; after `npm ci` in tests/sdk they are right here.
const sdk = createRequire(`${process.env.TWINLANE_NODE_DIR ?? import.meta.dirname}/`);
const OpenAI = sdk('openai').default;

const [baseURL, misbehaviour, maxRetries] = process.argv.slice(2);
const ai = new OpenAI({
  baseURL,
  apiKey: process.env.TWINLANE_TOKEN ?? 'sk-demo',
  maxRetries: Number(maxRetries),
  timeout: 60_000,
});

async function call() {
  const messages = [{ role: 'user', content: 'hello' }];
  try {
    await ai.chat.completions.create({ model: 'demo', messages }, { headers: JSON.parse(misbehaviour) });
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return { ok: false, status: error.status ?? null, error_class: error.constructor.name };
  }
  return { ok: true, status: 200, error_class: null };
}

const began = performance.now();
const outcome = await call();
console.log(JSON.stringify({ ...outcome, seconds: Math.round(performance.now() - began) / 1000 }));
