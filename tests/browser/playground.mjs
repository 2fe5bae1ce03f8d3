// The playground, as somebody meets it.

import { ask, begin, beside, ended, open, same, that, until } from './stage.mjs';

const MARKDOWN =
  '## A heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x = 1;\n```\n\n<script>globalThis.owned = 1</script><img src="x" onerror="globalThis.owned = 1"><p style="color:red">styled</p>\n\n![far](https://elsewhere.example/x.png) [bad](javascript:alert(1))';

/** A picture of one pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';

export async function aFirstVisitIsSmallAndSaysWhatThisIs({ newPage, url }) {
  const page = await newPage();
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  let bytes = 0;
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(url, { waitUntil: 'networkidle' });
  await page.getByText('Every model behind').waitFor();
  await until('the gateway is well', () => page.locator('#health[data-state="ok"]').isVisible());
  same(await page.title(), 'Playground · Twinlane', 'title');
  that(bytes > 20_000 && bytes < 150_000, `a first visit loads ${bytes} bytes`);
  that(await page.getByLabel('Model', { exact: true }).inputValue(), 'a model is proposed');
  await allIsAskedForAtOnce(page);
  await anyAddressLeadsSomewhere(page, url);
  const kept = await page.evaluate(() => localStorage.length + document.cookie.length);
  same(kept, 0, 'what lasts beyond the tab');
}

/** Module after module, each found in the one before it, takes as many round trips as there are floors. */
async function allIsAskedForAtOnce(page) {
  const late = await page.evaluate(() => {
    const named = [...document.querySelectorAll('link[rel="modulepreload"], script[src]')].map(
      ({ href, src }) => href || src,
    );
    const loaded = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'));
    return loaded.map(({ name }) => name).filter((name) => !named.includes(name));
  });
  same(late.join(' '), '', 'modules that the page does not name');
}

async function anyAddressLeadsSomewhere(page, url) {
  for (const view of ['%', 'constructor', 'no-such-view']) {
    await page.goto('about:blank');
    await open(page, url, view);
    await page.getByRole('textbox', { name: 'Your question' }).waitFor();
  }
}

export async function anAnswerStreamsAsCleanedMarkdown({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  await begin(page, 'openai/demo', `${'Many words before. '.repeat(4)}\n\n${MARKDOWN}`);
  const prose = page.locator('.turn:not(.mine) .prose');
  const length = () =>
    prose.innerText().then(
      (text) => text.length,
      () => 0,
    );
  await until('the answer begins', async () => (await length()) > 20);
  const early = await length();
  await ended(page);
  that((await length()) > early, 'it grew while it was read');
  await prose.getByRole('heading', { name: 'A heading' }).waitFor();
  same(await prose.locator('td').count(), 2, 'cells of the table');
  same((await prose.locator('pre').innerText()).trim(), 'let x = 1;', 'code');
  same(await page.evaluate(() => globalThis.owned), undefined, 'a script within an answer');
  same(
    await prose.locator('img, script, [style], [onerror], a[href^="javascript"]').count(),
    0,
    'what must not be there',
  );
  that((await prose.innerText()).includes('<script>'), 'HTML is shown as text');
  same(
    await prose.getByRole('link', { name: 'far' }).getAttribute('rel'),
    'noopener noreferrer nofollow',
    'a picture from elsewhere is a link',
  );
  same(await beside(page, 'Lane').innerText(), 'edge · stream', 'lane');
  same(await beside(page, 'Served by').innerText(), 'openai/demo', 'served by');
  that(/^\d+ in · \d+ out/.test(await beside(page, 'Tokens').innerText()), 'tokens');
  that(/tokens\/s$/.test(await beside(page, 'Speed').innerText()), 'speed');
  const prefetch = page.locator('meta[http-equiv="x-dns-prefetch-control"]');
  same(await prefetch.getAttribute('content'), 'off', 'looking up the names of links that nobody followed');
  await ask(page, 'openai/demo', 'مرحبا');
  const words = page.locator('.turn.mine .said').last();
  same(await words.evaluate((said) => getComputedStyle(said).direction), 'rtl', 'Arabic is read from the right');
}

async function aModelIsOfItsService(page) {
  const [service, model] = [page.getByLabel('Service'), page.getByLabel('Model', { exact: true })];
  await service.locator('option[value="claude"]').waitFor({ state: 'attached' });
  await model.fill('openai/demo');
  await service.selectOption('claude');
  that(!(await model.inputValue()).includes('openai'), 'a model of another service is none of this one');
  await page.locator('.route', { hasText: /^Goes to claude\/[^/]+ / }).waitFor();
  await page.getByRole('button', { name: 'All models' }).click();
  same(await model.inputValue(), '', 'nothing narrows the list');
  await page.getByRole('textbox', { name: 'Your question' }).click();
  that(await model.inputValue(), 'what was chosen stays where nothing else was');
  await service.selectOption('');
}

export async function theSameQuestionGoesInThreeFormats({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  await aModelIsOfItsService(page);
  for (const [format, model] of [
    ['Messages', 'openai/demo'],
    ['Responses', 'claude/demo'],
    ['Chat', 'claude/demo'],
  ]) {
    await page.getByText(format, { exact: true }).click();
    const answer = await ask(page, model, `hello in ${format}`);
    that((await answer.innerText()).includes(`hello in ${format}`), `${format} at ${model}`);
    same(await answer.getAttribute('data-state'), 'complete', format);
    that(/\d+ in · \d+ out/.test(await beside(page, 'Tokens').innerText()), `tokens in ${format}`);
  }
}

/** The code that is shown, for the test to run. */
export async function theCallIsShownAsCode({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  await page.getByLabel('Model', { exact: true }).fill('openai/demo');
  await page.getByLabel('System prompt').fill(`It's "short" & costs $5`);
  await page.getByLabel('Temperature').fill('0.5');
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles({ name: "a dot's.png", mimeType: 'image/png', buffer: Buffer.from(DOT, 'base64') });
  await page.locator('.tray li').waitFor();
  await page.getByRole('textbox', { name: 'Your question' }).fill('What `is` $this, and\nwhy "so"?');
  await page.getByText('As code').click();
  const shown = [];
  for (const format of ['Chat', 'Messages', 'Responses']) {
    await page.getByText(format, { exact: true }).click();
    for (const language of ['curl', 'Python', 'TypeScript']) {
      await page.locator('.ledger').getByText(language, { exact: true }).click();
      shown.push({ format, language, code: await page.locator('.ledger pre').innerText() });
    }
  }
  await page.getByRole('button', { name: 'Copy the code' }).click();
  same((await page.evaluate(() => navigator.clipboard.readText())).trim(), shown.at(-1).code.trim(), 'what is copied');
  return { shown, picture: DOT };
}

export async function stopReallyCancels({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  await begin(page, 'openai/demo-slow', 'Write a story');
  await until('the answer begins', async () => (await page.locator('.turn:not(.mine) .prose').innerText()).length > 10);
  await page.getByRole('button', { name: 'Stop' }).click();
  const answer = await ended(page);
  that((await answer.locator('.state').innerText()).startsWith('stopped after'), 'it says that it was stopped');
  same(
    await page.getByRole('button', { name: 'Send' }).getAttribute('aria-disabled'),
    'false',
    'the next question can be asked',
  );
}

export async function aPictureIsTurnedAndMadeSmaller({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  const large = await drop(page, { width: 3000, height: 2000, turned: false });
  const tray = page.locator('.tray li');
  await tray.first().waitFor();
  that((await tray.first().innerText()).includes('1568×1045'), `it is made smaller: ${await tray.first().innerText()}`);
  await drop(page, { width: 400, height: 200, turned: true, on: '.ledger' });
  await tray.nth(1).waitFor();
  that((await tray.nth(1).innerText()).includes('200×400'), `it stands upright: ${await tray.nth(1).innerText()}`);
  await page.getByRole('button', { name: 'Remove picture-400.jpg' }).click();
  same(await tray.count(), 1, 'one is taken out again');
  const answer = await ask(page, 'openai/demo', 'What is this?');
  that((await answer.innerText()).includes('You sent 1 image (image/jpeg'), 'the provider sees it');
  return { original: large };
}

/** Drops a picture of noise, which compresses badly; `turned` says in its EXIF that it lies on its side, `on` where it lands. */
async function drop(page, picture) {
  return page.evaluate(async ({ width, height, turned, on = '.composer' }) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    const noise = context.createImageData(width, height);
    for (let i = 0; i < noise.data.length; i += 1) noise.data[i] = i % 4 === 3 ? 255 : (i * 2654435761) >>> (i % 24);
    context.putImageData(noise, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.95));
    // An EXIF block with nothing but the orientation 6: the camera was held upright.
    const exif = [
      0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
      0, 0, 0, 0,
    ];
    const parts = turned ? [blob.slice(0, 2), new Uint8Array(exif), blob.slice(2)] : [blob];
    const file = new File(parts, `picture-${width}.jpg`, { type: 'image/jpeg' });
    const data = new DataTransfer();
    data.items.add(file);
    const place = document.querySelector(on);
    for (const type of ['dragover', 'drop'])
      if (place.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })))
        throw new Error(`the browser would open what is dropped on ${on}`);
    return file.size;
  }, picture);
}

export async function aFallbackIsTold({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  await page.getByLabel('Model', { exact: true }).fill('careful');
  await page.locator('.route', { hasText: 'else' }).waitFor();
  await ask(page, 'careful', 'hello');
  same(await beside(page, 'Served by').innerText(), 'claude/demo', 'who served');
  that((await beside(page, 'Fell back from').innerText()).includes('openai/demo-error-503'), 'who did not');
}

export async function errorsAreToldInWords({ newPage, url }) {
  const page = await newPage({ statuses: [429] });
  await open(page, url);
  const refused = await ask(page, 'openai/demo-error-429', 'hello');
  const words = await refused.getByRole('alert').innerText();
  that(!words.includes('undefined') && words.split(' ').length > 4, `words: ${words}`);
  same(await refused.locator('.state').innerText(), 'failed with 429', 'the status');
  await refused.getByRole('button', { name: 'Try again' }).waitFor();
  await aPictureNobodyCanReadIsNamed(page);
  const cut = await ask(page, 'openai/demo-cut', 'Write a story');
  that((await cut.getByRole('alert').innerText()).length > 20, 'a cut stream is told');
  that((await cut.locator('.prose').innerText()).length > 5, 'and what came before it stays');
  same(await page.getByRole('button', { name: 'Try again' }).count(), 1, 'only the last question is asked again');
  await refused.getByRole('button', { name: 'What the gateway did' }).click();
  await beside(page, 'Cost').waitFor();
  await cut.getByRole('button', { name: 'Try again' }).click();
  await ended(page);
  same(await page.locator('.turn').count(), 4, 'asked again in its place');
}

async function aPictureNobodyCanReadIsNamed(page) {
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['not a picture'], 'IMG_1.HEIC'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.locator('.composer').getByText('IMG_1.HEIC, which is HEIC').waitFor();
}

export async function aKeyIsAskedForAndKeptForTheTabOnly({ newPage, url, key }) {
  const page = await newPage({ statuses: [401] });
  await open(page, url);
  const refused = await ask(page, 'openai/demo', 'hello');
  await page.locator('.settings').getByRole('button', { name: 'Enter a key' }).waitFor();
  await refused.getByRole('button', { name: 'Enter a key' }).click();
  await page.getByLabel('Gateway token').fill(key);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
  await refused.getByRole('button', { name: 'Try again' }).click();
  const answer = await ended(page);
  same(await answer.getAttribute('data-state'), 'complete', 'with the key');
  same(await page.evaluate(() => localStorage.length + document.cookie.length), 0, 'what lasts beyond the tab');
  that(!page.url().includes(key), 'no address holds it');
}
