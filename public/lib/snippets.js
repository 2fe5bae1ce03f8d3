// The same call in other words: curl, and the official SDKs of Python and TypeScript.

import { HERE } from "./api.js";
import { FORMATS } from "./formats.js";

export const LANGUAGES = [
  ["curl", "curl"],
  ["python", "Python"],
  ["typescript", "TypeScript"],
];

/** Code within a value: the name of a variable, and not a text. */
class Code {
  constructor(code) {
    this.code = code;
  }
}

/** The call in a language. Pictures are read from files of their names, since nobody wants a megabyte of base64 in a listing. */
export function snippet(language, { format, settings, turns, extra, hasKey }) {
  const pictures = turns.flatMap((turn) => turn.pictures ?? []);
  const body = FORMATS[format].body(settings, withNames(turns, language, format));
  return WRITERS[language]({ format, body, extra, hasKey, pictures });
}

function withNames(turns, language, format) {
  let n = 0;
  // why the original type: the file that is read there is the one before it was made smaller
  const named = (picture) => ({
    ...picture,
    type: picture.original,
    url: nameFor(language, format, picture, (n += 1)),
  });
  return turns.map((turn) => ({ ...turn, pictures: turn.pictures?.map(named) }));
}

function nameFor(language, format, { original: type }, n) {
  if (language === "curl") return format === "messages" ? `$IMAGE_${n}` : `data:${type};base64,$IMAGE_${n}`;
  const data = language === "python" ? `image_${n}` : `image${n}`;
  if (format === "messages") return new Code(data);
  return new Code(language === "python" ? `f"data:${type};base64,{${data}}"` : `\`data:${type};base64,\${${data}}\``);
}

// --- curl

function curl({ format, body, extra, hasKey, pictures }) {
  const { path, headers = {} } = FORMATS[format];
  const all = {
    "content-type": "application/json",
    ...(hasKey ? { authorization: "Bearer $GATEWAY_KEY" } : {}),
    ...headers,
  };
  const flags = Object.entries(all).map(([name, value]) => `-H "${name}: ${value}"`);
  const json = JSON.stringify({ ...body, ...extra }, null, 2);
  const files = pictures
    .map(({ name }, i) => `IMAGE_${i + 1}=$(base64 < ${shellQuoted(name)} | tr -d '\\n')\n`)
    .join("");
  const call = [`curl -N ${HERE}${path}`, ...flags].join(" \\\n  ");
  if (!pictures.length) return `${call} \\\n  -d ${shellQuoted(json)}`;
  // why a here document: an argument of a program holds 128 kB, a picture more
  return `${files}${call} \\\n  -d @- <<JSON\n${json.replace(/[\\`]/g, "\\$&").replace(/\$/g, keepImages)}\nJSON`;
}

/** A dollar is the shell's where it names a picture's data, and text wherever somebody wrote it. */
function keepImages(dollar, at, json) {
  const isImage = /(;base64,|"data": ")$/.test(json.slice(0, at)) && /^\$IMAGE_\d+"/.test(json.slice(at));
  return isImage ? dollar : `\\${dollar}`;
}

const shellQuoted = (text) => `'${text.replace(/'/g, `'\\''`)}'`;

// --- Python

function python({ format, body, extra, hasKey, pictures }) {
  const Client = format === "messages" ? "Anthropic" : "OpenAI";
  const library = Client.toLowerCase();
  const imports = [
    pictures.length && "import base64",
    hasKey && "import os",
    (pictures.length || hasKey) && "",
    `from ${library} import ${Client}`,
  ];
  const key = hasKey ? `os.environ["GATEWAY_KEY"]` : `"unused"`;
  const files = pictures.map(
    ({ name }, i) => `image_${i + 1} = base64.b64encode(open(${JSON.stringify(name)}, "rb").read()).decode()`,
  );
  return [
    `# pip install ${library}`,
    ...imports.filter((line) => typeof line === "string"),
    "",
    `client = ${Client}(base_url="${baseFor(format)}", api_key=${key})`,
    ...files,
    PYTHON_CALL[format].replace("ARGUMENTS", () => pythonArguments(format, body, extra)),
  ].join("\n");
}

const PYTHON_CALL = {
  chat: `for chunk in client.chat.completions.create(
ARGUMENTS
):
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)`,
  messages: `for event in client.messages.create(
ARGUMENTS
):
    if event.type == "content_block_delta" and event.delta.type == "text_delta":
        print(event.delta.text, end="", flush=True)`,
  responses: `for event in client.responses.create(
ARGUMENTS
):
    if event.type == "response.output_text.delta":
        print(event.delta, end="", flush=True)`,
};

/** What Anthropic's newest SDK has no argument for, while other providers' models take it. */
const NO_ARGUMENT = { messages: ["temperature", "top_p"] };

function pythonArguments(format, body, extra) {
  const isArgument = ([name]) => !NO_ARGUMENT[format]?.includes(name);
  const fields = Object.entries(body);
  const rest = { ...Object.fromEntries(fields.filter((field) => !isArgument(field))), ...extra };
  const all = [...fields.filter(isArgument), ...(Object.keys(rest).length ? [["extra_body", rest]] : [])];
  return all.map(([name, value]) => `    ${name}=${written(value, PYTHON, "    ")},`).join("\n");
}

// --- TypeScript

function typescript({ format, body, extra, hasKey, pictures }) {
  const [Client, library] = format === "messages" ? ["Anthropic", "@anthropic-ai/sdk"] : ["OpenAI", "openai"];
  const key = hasKey ? "process.env.GATEWAY_KEY" : `"unused"`;
  const files = pictures.map(
    ({ name }, i) => `const image${i + 1} = readFileSync(${JSON.stringify(name)}).toString("base64");`,
  );
  return [
    `// npm install ${library}`,
    ...(pictures.length ? [`import { readFileSync } from "node:fs";`] : []),
    `import ${Client} from "${library}";`,
    "",
    `const client = new ${Client}({ baseURL: "${baseFor(format)}", apiKey: ${key} });`,
    ...files,
    `const stream = await client.${SCRIPT_CALL[format][0]}.create(${written({ ...body, ...extra }, SCRIPT, "")});`,
    SCRIPT_CALL[format][1],
  ].join("\n");
}

const SCRIPT_CALL = {
  chat: [
    "chat.completions",
    `for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}`,
  ],
  messages: [
    "messages",
    `for await (const event of stream) {
  if (event.type === "content_block_delta" && event.delta.type === "text_delta") process.stdout.write(event.delta.text);
}`,
  ],
  responses: [
    "responses",
    `for await (const event of stream) {
  if (event.type === "response.output_text.delta") process.stdout.write(event.delta);
}`,
  ],
};

/** Anthropic's SDK adds the version to the path itself. */
const baseFor = (format) => (format === "messages" ? HERE : `${HERE}/v1`);

// --- Values as code

const PYTHON = {
  step: "    ",
  pad: "",
  true: "True",
  false: "False",
  null: "None",
  name: (name) => JSON.stringify(name),
};
const SCRIPT = {
  step: "  ",
  pad: " ",
  true: "true",
  false: "false",
  null: "null",
  name: (name) => (/^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name)),
};

function written(value, words, indent) {
  if (value instanceof Code) return value.code;
  if (value === null || typeof value === "boolean") return words[String(value)];
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = indent + words.step;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((one) => written(one, words, inner))
    : Object.entries(value).map(([name, one]) => `${words.name(name)}: ${written(one, words, inner)}`);
  const [open, close] = isList ? "[]" : "{}";
  const flat = parts.join(", ");
  if (flat.length < 72 && !flat.includes("\n")) {
    const pad = isList || !flat ? "" : words.pad;
    return `${open}${pad}${flat}${pad}${close}`;
  }
  return `${open}\n${parts.map((part) => `${inner}${part},`).join("\n")}\n${indent}${close}`;
}

const WRITERS = { curl, python, typescript };
