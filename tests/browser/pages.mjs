// The other views, and what holds for all of them.

import { readFileSync } from 'node:fs';

import { ask, barriers, giveKeys, open, same, that, until } from './stage.mjs';

const VIEWS = ['playground', 'usage', 'doctor', 'services', 'tokens', 'api', 'about'];

const figure = (page, name) =>
  page
    .locator('.figures div')
    .filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) })
    .locator('dd')
    .first()
    .innerText();

export async function usageTellsTheCallsThatWereMade({ newPage, url }) {
  const page = await newPage({ statuses: [429] });
  await open(page, url);
  for (const model of ['openai/demo', 'openai/demo', 'openai/demo-error-429', 'claude/demo'])
    await ask(page, model, 'hello');
  await page.getByRole('link', { name: 'Usage' }).click();
  await until('all four are counted', async () => {
    await page.reload();
    await page.locator('.figures').waitFor();
    return (await figure(page, 'Calls')) === '4';
  });
  that((await page.locator('.figures').innerText()).includes('1 failed'), 'one failed');
  await page.locator('.chart canvas').waitFor();
  const row = page
    .getByRole('region', { name: 'Usage by model' })
    .getByRole('row')
    .filter({ has: page.getByRole('button', { name: 'openai/demo', exact: true }) });
  same(await row.getByRole('cell').nth(2).innerText(), '2', 'calls of one model');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const csv = readFileSync(await (await download).path(), 'utf8');
  that(csv.startsWith('model,calls,') && csv.includes('openai/demo,2,'), `as CSV: ${csv}`);
  await row.getByRole('button').click();
  await until('only that model', async () => (await figure(page, 'Calls')) === '2');
  const latest = page.getByRole('region', { name: 'Latest calls' });
  await latest.getByRole('link').first().click();
  await page.getByRole('heading', { name: 'A call' }).waitFor();
  that((await page.locator('.facts').first().innerText()).includes('openai/demo'), 'one call in full');
}

export async function theTailIsLive({ newPage, url }) {
  const page = await newPage();
  await open(page, url, 'usage');
  await page.getByText('No call yet').waitFor();
  const other = await newPage();
  await open(other, url);
  await ask(other, 'openai/demo', 'hello');
  await page.getByRole('region', { name: 'Latest calls' }).getByRole('link').first().waitFor();
}

export async function aTokenIsMadeUsedAndTakenBack({ newPage, url, admin }) {
  const page = await newPage({ statuses: [400, 401] });
  await open(page, url, 'tokens');
  await page.getByText('administrator’s token', { exact: false }).first().waitFor({ state: 'attached' });
  await giveKeys(page, { admin: 'not-the-administrator' });
  await page.getByText('that you entered is not this gateway’s ADMIN_TOKEN').waitFor();
  await giveKeys(page, { admin });
  await page.getByLabel('Name', { exact: true }).fill('alice');
  await page.getByLabel('Services').fill('no-such-service');
  await page.getByRole('button', { name: 'Make the token' }).click();
  await page.getByText('no-such-service').waitFor();
  await page.getByLabel('Services').fill('openai');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const token = (await page.locator('.token').innerText()).trim();
  const row = page.getByRole('region', { name: 'Tokens' }).getByRole('row').filter({ hasText: 'alice' });
  that((await row.innerText()).includes('call openai'), 'what it grants is told');
  await page.reload();
  await row.waitFor();
  that(!(await page.locator('main').innerText()).includes(token), 'it is shown once');

  await giveKeys(page, { caller: token });
  await page.getByRole('link', { name: 'Playground' }).click();
  same(await (await ask(page, 'openai/demo', 'hello')).getAttribute('data-state'), 'complete', 'the token calls');
  await page.getByRole('link', { name: 'Tokens' }).click();
  await row.getByRole('link').click();
  await until('the usage of that token', async () => (await figure(page, 'Calls')) === '1');
  await page.reload();
  await page.getByRole('button', { name: 'Remove the filter token' }).waitFor();
  await page.locator('label', { hasText: /^Token$/ }).click();
  await page.getByRole('region', { name: 'Usage by token' }).getByText('alice').waitFor();
  await page.getByRole('link', { name: 'Tokens' }).click();
  await row.getByRole('button', { name: 'Take back alice' }).click();
  await row.getByRole('button', { name: 'Take back alice' }).click();
  await row.getByText('taken back').waitFor();
  await page.getByRole('link', { name: 'Playground' }).click();
  const refused = await ask(page, 'openai/demo', 'hello again');
  same(await refused.locator('.state').innerText(), 'failed with 401', 'and calls no more');
}

export async function doctorServicesAndReferenceTellWhatIsThere({ newPage, url }) {
  const page = await newPage();
  await open(page, url, 'doctor');
  await page.locator('.findings li').first().waitFor();
  that((await page.locator('.verdict').innerText()).length > 5, 'a verdict');
  await open(page, url, 'services');
  await page.getByLabel('Search').fill('openai');
  await page.locator('summary', { hasText: 'openai' }).first().click();
  await page.getByLabel('Model', { exact: true }).fill('demo');
  await page.getByRole('button', { name: 'Test call' }).click();
  await page.getByText('Works.', { exact: true }).waitFor();
  await open(page, url, 'api');
  await page.locator('.operation').first().waitFor();
  const document_ = await (await page.request.get(`${url}/openapi.json`)).json();
  const all = Object.values(document_.paths).flatMap((item) =>
    Object.keys(item).filter((key) => ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'].includes(key)),
  );
  same(await page.locator('.operation').count(), all.length, 'operations');
  for (const summary of await page.locator('.operation > summary').all()) await summary.click();
  // What unfolds is filled by an event of its own.
  await page.waitForFunction(() => !document.querySelector('.operation-body:empty'));
  same((await page.locator('main').innerText()).includes('undefined'), false, 'a gap in the words');
}

export async function aKeyboardIsEnough({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  await page.keyboard.press('Tab');
  same(await page.evaluate(() => document.activeElement.id), 'skip', 'the first stop');
  await page.keyboard.press('Enter');
  same(await page.evaluate(() => document.activeElement.id), 'main', 'where it leads');
  await tabTo(page, 'question');
  await page.keyboard.type('hello');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('again');
  await page.keyboard.press('Enter');
  await page.locator('.turn[data-state="complete"]').waitFor();
  same(await page.evaluate(() => document.activeElement.id), 'question', 'the next question can be typed at once');
  that((await page.locator('#said').innerText()).includes('complete'), 'the end is said aloud');
  await page.keyboard.press('Control+Home');
  await page.locator('#nav a').first().focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
  await until('the heading is in focus', () => page.evaluate(() => document.activeElement.tagName === 'H1'));
  await tabTo(page, 'keys', true);
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  same(await page.evaluate(() => document.activeElement.id), 'keys', 'where focus was before the dialog');
}

async function tabTo(page, id, back = false) {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    const [at, shown] = await page.evaluate(() => [
      document.activeElement.id,
      document.activeElement.getClientRects().length > 0,
    ]);
    that(shown || at === '', `focus went to what is not shown: ${at}`);
    if (at === id) return;
  }
  that(false, `no way by keyboard to ${id}`);
}

export async function everythingFitsAPhone({ newPage, url }) {
  const page = await newPage({ viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true });
  for (const view of VIEWS) {
    await open(page, url, view);
    await page.waitForLoadState('networkidle');
    const beyond = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    same(beyond, 0, `pixels beyond the edge in ${view}`);
  }
  await open(page, url);
  await page.locator('.settings summary').first().click();
  await ask(page, 'openai/demo', 'hello');
  same(
    await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    0,
    'with an answer',
  );
}

export async function nobodyIsKeptOut({ newPage, url, admin }) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    const page = await newPage({ colorScheme, reducedMotion: 'reduce' });
    await open(page, url);
    await giveKeys(page, { admin });
    await ask(page, 'openai/demo', 'a **word**\n\n```js\n1\n```\n\n| a |\n|---|\n| 1 |');
    for (const view of VIEWS) {
      await page.evaluate((to) => {
        location.hash = `#/${to}`;
      }, view);
      await page.waitForLoadState('networkidle');
      await page
        .locator(LATE[view] ?? 'h1')
        .first()
        .waitFor({ state: 'attached' });
      await page.evaluate((selector) => selector && document.querySelector(selector)?.click(), OPENED[view]);
      found.push(...(await barriers(page)).map((barrier) => `${view}, ${colorScheme}: ${barrier}`));
    }
    await page.locator('#keys').click();
    found.push(...(await barriers(page)).map((barrier) => `keys, ${colorScheme}: ${barrier}`));
  }
  that(found.length === 0, found.join('\n'));
}

/** What comes last in a view, and what is to be opened there. */
const LATE = {
  usage: '.chart canvas',
  doctor: '.findings',
  services: '.services',
  tokens: '.order',
  api: '.operation',
};
const OPENED = {
  playground: '.as-code summary',
  services: '.services summary',
  api: '.operation summary',
  tokens: '.more summary',
};
