// The keys a person typed, for this tab: sessionStorage goes with the tab, and no other tab sees it but a duplicate.

const PLACES = { caller: "twinlane.key", admin: "twinlane.admin" };
const fallback = new Map(); // why: a browser may forbid storage, and a key typed must still work

/** What calls are made with: a gateway token or a provider's key. */
export const caller = () => read("caller");

/** What the administrator's pages are asked with. */
export const admin = () => read("admin");

/** Takes keys into use, such as `{ caller: "…", admin: "" }`; an empty one is forgotten. */
export function use(given) {
  for (const [which, key] of Object.entries(given)) {
    fallback.set(which, key);
    stored((storage) => (key ? storage.setItem(PLACES[which], key) : storage.removeItem(PLACES[which])));
  }
  dispatchEvent(new CustomEvent("keyschanged"));
}

function read(which) {
  return fallback.get(which) ?? stored((storage) => storage.getItem(PLACES[which])) ?? "";
}

/** Remembers something small for this tab, such as the theme. */
export function remember(name, value) {
  stored((storage) => storage.setItem(`twinlane.${name}`, value));
}

/** What was remembered; null where nothing was. */
export const recall = (name) => stored((storage) => storage.getItem(`twinlane.${name}`)) ?? null;

function stored(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}
