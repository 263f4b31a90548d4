/** What may be shown of a task's request, and to whom. */
export interface Sight {
  /** May the reader inspect containers? Without that no environment and no command is shown. */
  inspects: boolean;
}

/** What stands for a hidden value. */
export const mask = "********";

/**
 * Fields that readers who may not inspect are not shown: environment, commands, and what the station does not read itself.
 */
const notForLookers = new Set(["environment", "command", "entrypoint", "changed", "image_from", "restart"]);
const unread = new Set(["changed", "image_from", "restart"]);
/** Words of the original station's own page. */
const unreadWords = new Set(["", "nas", "local", "upload"]);

/** Variables whose values are no secrets. Every other value is masked. */
const harmlessVariables =
  /^(?:TZ|LANG|LANGUAGE|LC_[A-Z]+|PATH|HOME|TERM|SHELL|HOSTNAME|EDITOR|PAGER|PUID|PGID|UID|GID|UMASK|DEBUG|LOG_LEVEL|NODE_ENV|DEBIAN_FRONTEND|PYTHONUNBUFFERED)$/;

/** Matches the text of every request that has something to mask or to hide. */
const telling = /passw|secret|token|environment|command|entrypoint|changed|image_from|restart|:\/\//i;

/** Returns a task's request as it is shown. `value` is what the text says. */
export function maskedJson(json: string, sight: Sight, value: unknown = JSON.parse(json)): unknown {
  return telling.test(json) ? maskedRequest(value, sight) : value;
}

function maskedRequest(request: unknown, sight: Sight): unknown {
  if (Array.isArray(request)) return request.map((item) => maskedRequest(item, sight));
  if (typeof request !== "object" || request === null) return request;
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request)) {
    const isProgram = name === "entrypoint" || !hasWords((request as Record<string, unknown>)["entrypoint"]);
    if (sight.inspects || !notForLookers.has(name)) shown[name] = maskedField(name, value, isProgram);
  }
  return shown;
}

/** Tells whether an entrypoint is given. A command behind one has arguments only. */
function hasWords(entrypoint: unknown): boolean {
  return textsOf(entrypoint).some((text) => text.trim() !== "");
}

/** Returns a field as it is shown. `isProgram`: the first word of a command is a program. */
function maskedField(name: string, value: unknown, isProgram: boolean): unknown {
  if (name === "environment") return [value].flat().map(maskedVariable);
  if (name === "command" || name === "entrypoint") return maskedCommand(value, isProgram);
  if (unread.has(name)) return maskedUnread(value);
  if (/passw|secret|token/i.test(name) && typeof value === "string" && value !== "") return mask;
  return withoutLogins(value);
}

/** Returns NAME=VALUE with the value masked, unless the name is known to be harmless. */
function maskedVariable(variable: unknown): unknown {
  if (typeof variable !== "string") return mask;
  const cut = variable.indexOf("=");
  if (cut < 1) return mask;
  const [name, value] = [variable.slice(0, cut), variable.slice(cut + 1)];
  return `${name}=${harmlessVariables.test(name) ? withoutLogin(value) : mask}`;
}

/** Returns the program and the names of options; all other words are masked. A text is masked word by word. */
function maskedCommand(command: unknown, isProgram: boolean): unknown {
  if (Array.isArray(command)) return command.map((word, at) => maskedWord(String(word), isProgram && at === 0));
  if (typeof command !== "string") return mask;
  // Quotes would have to be understood to see where a word ends: what follows the first one is one word.
  const [words = "", ...quoted] = command.split(/(?=["'\\`])/);
  const shown = words.split(/\s+/).map((word, at) => (word === "" ? "" : maskedWord(word, isProgram && at === 0)));
  if (quoted.length > 0) shown[shown.length - 1] = mask;
  return shown.join(" ");
}

/** `--password=x` is shown as `--password=********`, `-px` as `-p********`. */
function maskedWord(word: string, isProgram: boolean): string {
  if (isProgram && /^[\w./+][\w./+-]{0,127}$/.test(word)) return word;
  const option = /^(?:--[a-z][a-z0-9-]{0,31}(?==|$)|-[a-zA-Z0-9])/.exec(word)?.[0];
  if (option === undefined) return mask;
  const rest = word.slice(option.length);
  return rest === "" ? option : `${option}${rest.startsWith("=") ? "=" : ""}${mask}`;
}

/** Returns the words of a request's environment and commands that this reader is not shown. */
export function hiddenWords(request: unknown, sight: Sight): string[] {
  if (Array.isArray(request)) return request.flatMap((item) => hiddenWords(item, sight));
  if (typeof request !== "object" || request === null) return [];
  const { environment, command, entrypoint } = request as Record<string, unknown>;
  const variables = textsOf(environment).flatMap((variable) => hiddenOfVariable(variable, sight));
  const words = [entrypoint, command].flatMap((line, at) =>
    hiddenOfCommand(line, at === 0 || !hasWords(entrypoint), sight),
  );
  return [...variables, ...words].filter((word) => word !== "");
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((item) => typeof item === "string");
}

function hiddenOfVariable(variable: string, sight: Sight): string[] {
  const cut = variable.indexOf("=");
  const [name, value] = [variable.slice(0, Math.max(cut, 0)), variable.slice(cut + 1)];
  if (!sight.inspects) return [name, value];
  return maskedVariable(variable) === variable ? [] : [value];
}

function hiddenOfCommand(line: unknown, isProgram: boolean, sight: Sight): string[] {
  const texts = textsOf(line);
  const words = [...texts, ...texts.flatMap((text) => text.split(/[\s"'`\\=]+/))];
  if (!sight.inspects) return words;
  const program = isProgram ? texts[0]?.split(/\s/)[0] : undefined;
  return words.filter((word) => maskedWord(word, word === program) !== word);
}

function maskedUnread(value: unknown): unknown {
  if (typeof value === "string") return unreadWords.has(value) ? value : mask;
  if (Array.isArray(value)) return value.map(maskedUnread);
  if (typeof value !== "object" || value === null) return typeof value === "number" ? mask : value;
  const known = Object.entries(value).filter(([name]) => /^[a-z_]{1,32}$/.test(name));
  return Object.fromEntries(known.map(([name, inner]) => [name, maskedUnread(inner)]));
}

/** Masks the login and the query of every URL in a value. */
function withoutLogins(value: unknown): unknown {
  if (typeof value === "string") return withoutLogin(value);
  if (Array.isArray(value)) return value.map(withoutLogins);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutLogins(inner)]));
}

function withoutLogin(text: string): string {
  return text.includes("://") ? text.split(/(\s+)/).map(withoutLoginInWord).join("") : text;
}

function withoutLoginInWord(word: string): string {
  const scheme = word.indexOf("://") + 3;
  if (scheme < 3) return word;
  const at = word.lastIndexOf("@");
  const place = at < scheme ? word.slice(scheme) : `${mask}@${word.slice(at + 1)}`;
  const query = place.indexOf("?");
  return word.slice(0, scheme) + (query < 0 ? place : `${place.slice(0, query + 1)}${mask}`);
}
