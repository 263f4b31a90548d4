import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { ConfigError } from "./error.ts";
import { optionTable } from "./options.ts";
import type { Origin } from "./values.ts";

/** An option's value as one source has it. */
export interface RawValue {
  /** The texts, one except for lists. */
  texts: readonly string[];
  /** Where they come from. */
  origin: Origin;
  /** True if they come from the environment variable. */
  fromVariable?: boolean;
}

/** The values that one source has, by the option's name. */
export type Source = Readonly<Record<string, RawValue>>;
export type Environment = Readonly<Record<string, string | undefined>>;

const seeHelp = "npm start -- --help lists all flags";

/** Reads the flags. Throws ConfigError if one is unknown, or has a value too many or too few. */
export function readFlags(argv: readonly string[], folder: string): Source {
  const flags = Object.entries(optionTable).map(([name, option]) => {
    return [name, { type: option.placeholder ? "string" : "boolean", multiple: true }] as const;
  });
  // Not strict: the messages of parseArgs are not written for users.
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(flags),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const source: Record<string, RawValue> = {};
  for (const token of tokens) {
    if (token.kind === "positional") throw new ConfigError(`"${token.value}" is no flag; ${seeHelp}.`);
    if (token.kind === "option-terminator") continue;
    const text = flagText(token);
    const option = optionTable[token.name];
    const before = option?.list ? (source[token.name]?.texts ?? []) : [];
    source[token.name] = { texts: [...before, text], origin: { name: token.rawName, folder } };
  }
  return source;
}

interface OptionToken {
  name: string;
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

function flagText({ name, rawName, value, inlineValue }: OptionToken): string {
  const option = Object.hasOwn(optionTable, name) ? optionTable[name] : undefined;
  if (!option || !rawName.startsWith("--")) throw new ConfigError(`There is no flag ${rawName}; ${seeHelp}.`);
  if (!option.placeholder) {
    if (value !== undefined) throw new ConfigError(`${rawName} takes no value; leave "=${value}" out.`);
    return "true";
  }
  if (value === undefined || value === "" || (!inlineValue && value.startsWith("-"))) {
    throw new ConfigError(`${rawName} needs a value: ${rawName} ${option.placeholder}.`);
  }
  return value;
}

/** Reads the environment variables. An empty variable counts as not set. */
export function readVariables(env: Environment, folder: string): Source {
  const source: Record<string, RawValue> = {};
  for (const [name, option] of Object.entries(optionTable)) {
    const text = option.variable ? env[option.variable] : undefined;
    if (!option.variable || !text) continue;
    const texts = option.list ? text.split(",") : [text];
    source[name] = { texts, origin: { name: option.variable, folder }, fromVariable: true };
  }
  return source;
}

/** Reads the config file. A missing file counts as empty unless it is required. Throws ConfigError. */
export function readFile(file: string, required: boolean): Source {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    if (!required && error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw new ConfigError(`The config file ${file} cannot be read; check its path and rights.`, { cause: error });
  }
  const source: Record<string, RawValue> = {};
  for (const [key, value] of Object.entries(parseObject(content, file))) {
    const option = Object.hasOwn(optionTable, key) ? optionTable[key] : undefined;
    if (!option?.variable || key === "config") {
      throw new ConfigError(`The config file ${file} has the unknown key "${key}"; keys are flags' names without --.`);
    }
    const origin = { name: `"${key}" in ${file}`, folder: dirname(file) };
    source[key] = { texts: fileTexts(value, option.list === true, origin), origin };
  }
  return source;
}

function parseObject(content: string, file: string): object {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new ConfigError(`The config file ${file} is no valid JSON; correct it or move it away.`, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ConfigError(`The config file ${file} must hold one object, as {"listen": "0.0.0.0:8080"}.`);
}

function fileTexts(value: unknown, list: boolean, origin: Origin): string[] {
  if (list && Array.isArray(value)) return value.map((item) => fileText(item, origin));
  const text = fileText(value, origin);
  return list ? text.split(",") : [text];
}

function fileText(value: unknown, origin: Origin): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new ConfigError(`${origin.name} must be a text, a number, true or false, or for lists an array of texts.`);
}
