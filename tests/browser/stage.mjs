// A browser in front of a running gateway, and what must never happen in it.
//
// A page that breaks its own policy, asks anybody but the gateway, throws, or writes an error to the console fails,
// whatever else a fact is about. A fact that provokes an error's status says so, since browsers write those down.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const load = createRequire(`${process.env.TWINLANE_BROWSER_NODE ?? import.meta.dirname}/`);
const { chromium } = load('playwright-core');
const AXE = readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUM = process.env.TWINLANE_CHROMIUM ?? '/usr/bin/chromium';

/** How long anything may take to come about. */
export const PATIENCE = 15_000;

export function that(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

export function same(found, expected, what) {
  that(Object.is(found, expected), `${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

/** Runs one fact in a browser of its own. */
export async function play(fact, { url, ...given }) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  const wrong = [];
  const newPage = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    watch(page, url, options.statuses ?? [], wrong);
    return page;
  };
  try {
    const told = await fact({ url, newPage, ...given });
    that(wrong.length === 0, `the browser complains:\n${wrong.join('\n')}`);
    return told;
  } finally {
    await browser.close();
  }
}

function watch(page, url, statuses, wrong) {
  const isExpected = (text) => statuses.some((status) => text.includes(`status of ${status} `));
  page.on('console', (message) => {
    if (message.type() === 'error' && !isExpected(message.text())) wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`thrown: ${error.message}`));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${url}/`))
      wrong.push(`asked elsewhere: ${request.url()}`);
  });
  page.addInitScript(() =>
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    ),
  );
}

/** Opens a view. */
export async function open(page, url, view = 'playground') {
  await page.goto(`${url}/#/${view}`);
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
}

/** Gives the keys of this tab, as a person does. */
export async function giveKeys(page, { caller, admin }) {
  await page.locator('#keys').click();
  if (caller !== undefined) await page.getByLabel('Gateway token').fill(caller);
  if (admin !== undefined) await page.getByLabel('Administrator').fill(admin);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
}

/** Asks a model something in the playground, and waits for the end of the answer. */
export async function ask(page, model, words) {
  await begin(page, model, words);
  return ended(page);
}

export async function begin(page, model, words) {
  await page.getByLabel('Model', { exact: true }).fill(model);
  await page.getByRole('textbox', { name: 'Your question' }).fill(words);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** The last answer, once it has ended. */
export async function ended(page) {
  const answer = page.locator('.turn:not(.mine)').last();
  await answer
    .and(page.locator(':is([data-state="complete"], [data-state="failed"], [data-state="stopped"])'))
    .waitFor();
  return answer;
}

/** A fact that stands beside the answer. */
export const beside = (page, name) =>
  page
    .locator('.ledger .facts div')
    .filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) })
    .locator('dd');

/** Waits until a question about the page is answered as wished. */
export async function until(what, holds) {
  const latest = Date.now() + PATIENCE;
  while (!(await holds())) {
    that(Date.now() < latest, `never came about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What axe finds on the page that keeps people out. */
export async function barriers(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const told = ({ id, impact, nodes }) =>
    `${impact} ${id}: ${nodes
      .slice(0, 3)
      .map((node) => `${node.html.slice(0, 120)} ${node.any[0]?.message ?? ''}`)
      .join(' | ')}`;
  return violations.filter(({ impact }) => ['moderate', 'serious', 'critical'].includes(impact)).map(told);
}
