// What of the administrator's pages is open to whoever sits here.

import { askJson } from "./api.js";
import * as keys from "./keys.js";

let known = null;
addEventListener("keyschanged", () => {
  known = null;
});

/** `{tokens, usage, store, lasting, retention_days}`; throws the refusal where nothing is open. */
export function open() {
  known ??= askJson("/admin", { as: "admin" });
  known.catch(() => {
    known = null;
  });
  return known;
}

/**
 * Whether the usage log is open, for those who only would like to look.
 *
 * Nobody asks without a key or a gateway of one's own: the answer would be a refusal, which browsers write down as an error.
 */
export async function mayRead() {
  if (!keys.admin() && !isThisMachine()) return false;
  return open().then(
    ({ usage }) => usage,
    () => false,
  );
}

/** What the tokens that were made here are called, by their ids. */
export async function tokenNames() {
  const { tokens } = await open();
  if (!tokens) return new Map();
  const list = await askJson("/admin/tokens?limit=1000", { as: "admin" }).catch(() => ({ tokens: [] }));
  return new Map(list.tokens.map(({ id, name }) => [id, name]));
}

const isThisMachine = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
