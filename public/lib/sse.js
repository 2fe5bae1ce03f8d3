// Reads an event stream.

/** Turns the bytes of an event stream, cut anywhere, into the data of its events. */
export function sseParser(onData) {
  const decoder = new TextDecoder(); // why: a character may be cut in two, and a byte order mark may lead
  let rest = "";
  let afterReturn = false;
  let data = [];

  function readLine(line) {
    if (line === "") return dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "data") data.push(value); // why only data: a comment has an empty field, and the data tells its own type
  }
  function dispatch() {
    if (data.length) onData(data.join("\n"));
    data = [];
  }
  return function feed(bytes) {
    const text = decoder.decode(bytes, { stream: true });
    if (text === "") return;
    // why: CR alone ends a line, so a LF that comes with the next bytes must not end another
    const fresh = afterReturn && text[0] === "\n" ? text.slice(1) : text;
    afterReturn = text.endsWith("\r");
    const found = (rest + fresh).split(/\r\n|\r|\n/);
    rest = found.pop();
    found.forEach(readLine);
  };
}

/** Gives each event of a body, as it comes, to `onData`; `onBytes` hears of every arrival, keep-alives too. */
export async function readEvents(body, onData, onBytes = () => {}) {
  const reader = body.getReader();
  const feed = sseParser(onData);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes(value.length);
    feed(value);
  }
}
