// Builds the page. All text reaches the document as text, never as markup.

/**
 * An element: `h("button", { class: "primary", onclick: send }, "Send")`.
 *
 * A property that begins with "on" is a listener; one that is null, undefined or false is left out, and true is an
 * attribute without a value.
 */
export function h(name, properties = {}, ...children) {
  return dressed(document.createElement(name), properties, children);
}

/** The same in SVG, which is a namespace of its own. */
export function svg(name, properties = {}, ...children) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", name), properties, children);
}

function dressed(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) set(element, name, value);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) return element.addEventListener(name.slice(2), value);
  if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

/** Fills an element with other children than it had. */
export function fill(element, ...children) {
  element.replaceChildren();
  dressed(element, {}, children);
  return element;
}

/** A list of facts; those that are null or empty are left out. */
export function facts(rows) {
  const told = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    told.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

let count = 0;

/** A name that no other element has. */
export function unique(prefix) {
  count += 1;
  return `${prefix}-${count}`;
}

/** A labelled control; `hint` is read out with it. */
export function field(label, control, hint) {
  control.id ||= unique("field");
  const told = hint && h("span", { class: "hint", id: `${control.id}-hint` }, hint);
  if (told) control.setAttribute("aria-describedby", told.id);
  return h("p", { class: "field" }, h("label", { for: control.id }, label), control, told);
}

/** A row of choices of which one is taken. */
export function segments(legend, choices, chosen, onchange) {
  const name = unique("choice");
  const choice = ([value, label]) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }),
      h("span", {}, label),
    );
  return h("fieldset", { class: "segments" }, h("legend", { class: "unseen" }, legend), choices.map(choice));
}

/** Says that a button rests, without taking the focus from whoever just pressed it. */
export function setEnabled(button, enabled) {
  button.setAttribute("aria-disabled", String(!enabled));
}
