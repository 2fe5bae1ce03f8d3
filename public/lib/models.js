// Which models there are to choose from.

import { askJson } from "./api.js";

/** The list, asked for when it is first wanted and kept until `forget`. */
export function modelList() {
  let asked = null;
  let entries = [];

  /** Nothing, or why there are none: in words, or as the failure it was. */
  async function load() {
    asked ??= askJson("/v1/models").then(take, refuse);
    return asked;
  }

  function take(list) {
    entries = list.data.map(({ id, provider, owned_by }) => ({
      id,
      provider: provider ?? null,
      alias: !provider && owned_by === "twinlane",
    }));
    return entries.length ? null : "No model is listed here. Type the name of one.";
  }

  function refuse(failure) {
    entries = [];
    return failure;
  }

  const prefixed = ({ id, provider }) => id.startsWith(`${provider}/`);

  return {
    load,
    forget: () => {
      asked = null;
    },
    /** What to choose from as a service: any, or one. */
    services: () => [
      ["", "by the model’s name"],
      ...[...new Set(entries.map(({ provider }) => provider).filter(Boolean))].sort().map((name) => [name, name]),
    ],
    /** The models of a service, without its name before them; of all, with it. */
    of(service) {
      if (service)
        return entries
          .filter((entry) => entry.provider === service && prefixed(entry))
          .map(({ id }) => id.slice(service.length + 1));
      return entries.filter((entry) => !entry.provider || prefixed(entry)).map(({ id }) => id);
    },
    /** One to begin with: the demo where it is there, else whichever is first. */
    first: () => (entries.find(({ id }) => id === "demo/demo") ?? entries.find(prefixed) ?? entries[0])?.id ?? "",
    has: (id) => entries.some((entry) => entry.id === id),
  };
}
