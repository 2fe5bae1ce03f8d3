// The pictures that will go with the question.

import { fill, h } from "../../lib/dom.js";
import { bytes } from "../../lib/format.js";
import { MOST_IMAGES, isPicture, prepare } from "../../lib/images.js";
import { say } from "../../lib/say.js";

export class Tray {
  pictures = [];
  element = h("ul", { class: "tray", "aria-label": "Pictures to send" });

  /** `longest` says how large one may be, `trouble` hears of one that cannot be taken, `removed` of one taken out. */
  constructor({ longest, trouble, removed }) {
    Object.assign(this, { longest, trouble, removed });
  }

  async add(files) {
    for (const file of [...files].filter(isPicture)) {
      if (this.pictures.length >= MOST_IMAGES)
        return this.trouble(`${MOST_IMAGES} pictures are the most that can be sent at once.`);
      await this.#addOne(file);
    }
    if (this.pictures.length)
      say(`${this.pictures.length} pictures will be sent, ${bytes(sum(this.pictures))} in all.`);
  }

  /** Empties it into a question. */
  take() {
    const taken = this.pictures;
    this.pictures = [];
    this.#show();
    return taken;
  }

  async #addOne(file) {
    try {
      const picture = await prepare(file, this.longest());
      this.pictures = [...this.pictures, picture];
      this.#show();
    } catch (cause) {
      this.trouble(cause.message);
    }
  }

  #remove(picture) {
    URL.revokeObjectURL(picture.preview);
    this.pictures = this.pictures.filter((other) => other !== picture);
    this.#show();
    this.removed();
  }

  #show() {
    fill(
      this.element,
      this.pictures.map((picture) => thumbnail(picture, () => this.#remove(picture))),
    );
  }
}

const sum = (pictures) => pictures.reduce((all, { after }) => all + after.bytes, 0);

function thumbnail({ name, preview, before, after }, remove) {
  const [from, to] = [bytes(before.bytes), bytes(after.bytes)];
  const size = from === to ? to : `${from} → ${to}`;
  const pixels = after.width ? `${after.width}×${after.height}` : "";
  return h(
    "li",
    {},
    h("img", { src: preview, alt: name }),
    h(
      "span",
      { class: "small" },
      h("b", {}, name),
      h("span", { class: "mono" }, size),
      h("span", { class: "mono" }, pixels),
    ),
    h("button", { type: "button", class: "quiet", "aria-label": `Remove ${name}`, onclick: remove }, "✕"),
  );
}
