// Speaks to screen readers, in sentences: a token at a time would be noise.

const PAUSE_MS = 1200; // why: what is said too soon after the last is not heard, or cuts it off

const place = () => document.getElementById("said");

/** Says one thing. */
export function say(words) {
  place().textContent = words;
}

/** Reads an answer aloud while it streams: whole sentences, no faster than they can be heard. */
export class Reader {
  #rest = "";
  #last = 0;

  /** Takes more of the text. */
  hear(text) {
    this.#rest += text;
    if (performance.now() - this.#last < PAUSE_MS) return;
    const sentences = /^[\s\S]*[.!?:…](?=\s)|^[\s\S]*\n/.exec(this.#rest)?.[0];
    if (sentences) this.#tell(sentences);
  }

  /** Says what is left, and how it ended. */
  end(words) {
    this.#tell(`${this.#rest} ${words}`);
  }

  #tell(text) {
    this.#rest = this.#rest.slice(text.length);
    this.#last = performance.now();
    say(plain(text));
  }
}

/** Without the marks of markdown, which would be read as words. */
const plain = (text) =>
  text
    .replace(/```\w*|[*_`#>|]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
