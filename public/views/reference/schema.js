// Reads JSON schemas for people: references followed, alternatives named, fields as rows.

const DEEPEST = 4; // why: a schema may name itself

/** What a reference stands for; anything else is what it is. */
export function resolved(value, api) {
  let found = value;
  for (let hops = 0; found?.$ref && hops < 8; hops += 1) {
    found = found.$ref
      .replace(/^#\//, "")
      .split("/")
      .reduce((at, key) => at?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], api);
  }
  return found;
}

/** The fields of an object, those within it below it: `{name, depth, type, required, description}`. */
export function schemaRows(schema, api, depth = 0) {
  if (depth > DEEPEST) return [];
  const whole = resolved(schema, api) ?? {};
  if (whole.type === "array" && depth === 0) return schemaRows(whole.items, api, depth);
  const parts = [whole, ...(whole.allOf ?? []).map((part) => resolved(part, api))];
  const required = new Set(parts.flatMap((part) => part?.required ?? []));
  return parts
    .flatMap((part) => Object.entries(part?.properties ?? {}))
    .flatMap(([name, property]) => field(name, property, required.has(name), api, depth));
}

function field(name, property, required, api, depth) {
  const schema = resolved(property, api) ?? {};
  const row = { name, depth, type: typeOf(schema, api), required, description: described(property, schema) };
  const inner = schema.type === "array" || [schema.type].flat().includes("array") ? schema.items : schema;
  return [row, ...schemaRows(inner, api, depth + 1)];
}

function described(property, schema) {
  const words = [property.description ?? schema.description];
  if (schema.default !== undefined) words.push(`Default: \`${JSON.stringify(schema.default)}\`.`);
  return words.filter(Boolean).join(" ");
}

function typeOf(schema, api) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const ways = schema.oneOf ?? schema.anyOf;
  if (ways) return [...new Set(ways.map((way) => typeOf(resolved(way, api) ?? {}, api)))].join(" | ");
  const types = [schema.type ?? (schema.properties ? "object" : "any")].flat();
  return types
    .map((type) => (type === "array" ? `${typeOf(resolved(schema.items, api) ?? {}, api)}[]` : type))
    .join(" | ");
}

/** The first example of a body. */
export const exampleOf = ({ example, examples, schema }) =>
  example ?? Object.values(examples ?? {})[0]?.value ?? schema?.example ?? schema?.examples?.[0] ?? {};
