// Holds one fact against a running gateway:
//
//     node tests/browser/run.mjs aFirstVisitIsSmallAndSaysWhatThisIs '{"url": "http://127.0.0.1:3000"}'
//
// What a fact tells goes to standard output as JSON; why it does not hold, to standard error.

import * as modules from './modules.mjs';
import * as pages from './pages.mjs';
import * as playground from './playground.mjs';
import { play } from './stage.mjs';

const [name, given] = process.argv.slice(2);
const fact = { ...modules, ...playground, ...pages }[name];

try {
  if (!fact) throw new Error(`no such fact: ${name}`);
  console.log(JSON.stringify((await play(fact, JSON.parse(given))) ?? {}));
} catch (error) {
  console.error(error.stack ?? error);
  process.exitCode = 1;
}
