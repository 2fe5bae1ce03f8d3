// Modules of the page by themselves: what they make of a table of cases.

import { open, same } from './stage.mjs';

export async function aStreamCutAnywhereIsReadTheSame({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  const wrong = await page.evaluate(async () => {
    const { sseParser } = await import('/lib/sse.js');
    const text =
      '\ufeff: a comment\n\ndata: {"a":"Žižkov 🚋"}\r\n\r\nevent: x\rdata: one\rdata: two\r\rdata:three\n\nid: 7\n\ndata: unfinished';
    const bytes = new TextEncoder().encode(text);
    const read = (cuts) => {
      const events = [];
      const feed = sseParser((data) => events.push(data));
      let from = 0;
      for (const to of [...cuts, bytes.length]) {
        feed(bytes.slice(from, to));
        from = to;
      }
      return JSON.stringify(events);
    };
    const expected = JSON.stringify(['{"a":"Žižkov 🚋"}', 'one\ntwo', 'three']);
    const ways = [[], [...bytes.keys()], ...[...bytes.keys()].map((at) => [at])];
    return ways.map(read).filter((found) => found !== expected);
  });
  same(wrong.length, 0, `ways to cut it that are read otherwise, such as ${wrong[0]}`);
}

export async function numbersAreForPeople({ newPage, url }) {
  const page = await newPage();
  await open(page, url);
  const table = [
    ['duration', 0, '0 ms'],
    ['duration', 999.4, '999 ms'],
    ['duration', 2400, '2.4 s'],
    ['duration', 59_990, '1 min'],
    ['duration', 200_000, '3 min 20 s'],
    ['duration', null, '–'],
    ['bytes', 812, '812 B'],
    ['bytes', 38_400, '38 kB'],
    ['bytes', 2_100_000, '2.1 MB'],
    ['limit', 1_048_576, '1 MiB'],
    ['money', 0, '$0'],
    ['money', 12.5, '$12.50'],
    ['money', 0.0123, '$0.012'],
    ['money', 0.00000004, '< $0.000001'],
    ['money', null, '–'],
    ['count', 12_345, '12,345'],
    ['short', 12_345, '12.3K'],
  ];
  for (const [name, value, expected] of table) {
    const found = await page.evaluate(
      async ([what, given]) => (await import('/lib/format.js'))[what](given),
      [name, value],
    );
    same(found, expected, `${name} of ${value}`);
  }
}
