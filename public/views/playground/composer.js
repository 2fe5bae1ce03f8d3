// Where a question is written, and pictures are put beside it.

import { h, setEnabled } from "../../lib/dom.js";
import { isPicture } from "../../lib/images.js";
import { say } from "../../lib/say.js";
import { Tray } from "./tray.js";

/** Keys on glass have no Shift Enter: there Enter is a new line, and the button sends. */
const onGlass = matchMedia("(hover: none) and (pointer: coarse)");

export class Composer {
  #text = h("textarea", {
    id: "question",
    rows: 2,
    dir: "auto",
    placeholder: "Ask something, or drop a picture here",
    onkeydown: (event) => this.#typed(event),
    oninput: () => this.#grow(),
    onpaste: (event) => this.#pasted(event),
  });
  #trouble = h("p", { class: "bad small", role: "alert" });
  #send = h("button", { type: "submit", class: "primary" }, "Send");
  #stop = h("button", { type: "button", onclick: () => this.#talk.stop() }, "Stop");
  #anew = h("button", { type: "button", class: "quiet", onclick: () => this.#startAnew() }, "New conversation");
  #hint = h(
    "span",
    { class: "small keys-hint" },
    h("kbd", {}, "Enter"),
    " sends, ",
    h("kbd", {}, "Shift Enter"),
    " is a new line",
  );
  #settings;
  #talk;
  #tray;

  constructor(settings, talk) {
    this.#settings = settings;
    this.#talk = talk;
    this.#tray = new Tray({
      longest: () => settings.all().longest,
      trouble: (words) => this.#tell(words),
      removed: () => this.#text.focus(),
    });
    this.element = this.#form();
    this.#listenForDrops();
    talk.onrun = (running, any) => this.#showRun(running, any);
    this.#showRun(false, false);
  }

  /** What is written so far. */
  draft() {
    return { text: this.#text.value.trim(), pictures: this.#tray.pictures };
  }

  write(words) {
    this.#text.value = words;
    this.#grow();
    this.#text.focus();
  }

  #form() {
    return h(
      "form",
      { class: "composer", "aria-label": "Ask a model", onsubmit: (event) => this.#submit(event) },
      h("label", { class: "unseen", for: "question" }, "Your question"),
      this.#tray.element,
      this.#text,
      this.#trouble,
      h(
        "div",
        { class: "actions" },
        this.#send,
        this.#stop,
        this.#fileButton("Pictures", { multiple: true }),
        this.#fileButton("Camera", { capture: "environment" }),
        this.#anew,
        this.#hint,
      ),
    );
  }

  #fileButton(label, attributes) {
    const take = () => {
      this.#add(input.files);
      input.value = "";
    };
    const input = h("input", {
      type: "file",
      accept: "image/*",
      class: "unseen",
      tabindex: "-1",
      "aria-hidden": "true",
      ...attributes,
      onchange: take,
    });
    return h(
      "span",
      { class: attributes.capture ? "camera" : null },
      input,
      h("button", { type: "button", onclick: () => input.click() }, label),
    );
  }

  #showRun(running, any) {
    setEnabled(this.#send, !running);
    setEnabled(this.#stop, running);
    this.#anew.hidden = !any;
    this.#hint.hidden = any;
  }

  #typed(event) {
    // why: Enter that ends a composed character, as in Japanese, is not the end of the question
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || onGlass.matches) return;
    event.preventDefault();
    this.element.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const { text, pictures } = this.draft();
    if (this.#talk.isRunning() || (!text && !pictures.length)) return;
    const problem = this.#settings.problem();
    this.#tell(problem ?? "");
    if (problem) return this.#settings.focus();
    this.#text.value = "";
    this.#grow();
    this.#talk.ask({ text, pictures: this.#tray.take() });
  }

  #startAnew() {
    this.#talk.clear();
    this.#text.focus();
    say("A new conversation.");
  }

  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${Math.min(this.#text.scrollHeight + 2, innerHeight * 0.4)}px`;
  }

  #tell(words) {
    this.#trouble.textContent = words;
  }

  // --- Pictures

  #add(files) {
    this.#tell([...files].every(isPicture) ? "" : "Only pictures can be sent with a question.");
    this.#tray.add(files);
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.some(isPicture)) return;
    event.preventDefault();
    this.#add(files);
  }

  /** They may be dropped anywhere: what a page does not take the browser opens, and the conversation would be gone. */
  #listenForDrops() {
    const files = (take) => (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      if (this.element.isConnected) take(event.dataTransfer.files);
    };
    const leave = () => delete this.element.dataset.over;
    addEventListener(
      "dragover",
      files(() => (this.element.dataset.over = "")),
    );
    addEventListener("dragleave", ({ relatedTarget }) => relatedTarget ?? leave());
    addEventListener(
      "drop",
      files((dropped) => {
        leave();
        this.#add(dropped);
      }),
    );
  }
}
