import { optionTable } from "./options.ts";

/** Returns the text that `--help` prints: every flag with its variable and its default. */
export function helpText(): string {
  const rows = Object.entries(optionTable).map(([name, option]) => ({
    flag: `--${name}${option.placeholder ? ` ${option.placeholder}` : ""}`,
    option,
  }));
  const width = Math.max(...rows.map(({ flag }) => flag.length)) + 2;
  const lines = rows.map(({ flag, option }) => {
    const head = `  ${flag.padEnd(width)}${option.help}`;
    if (!option.variable) return head;
    const byDefault = option.defaultText ?? option.default;
    return `${head}\n  ${" ".repeat(width)}${option.variable}, default: ${byDefault}`;
  });
  return [
    "Gantry, an open container station.",
    "",
    "Usage: npm start -- [FLAG]...",
    "",
    ...lines,
    "",
    "A flag goes before its variable, that before the config file. Keys of the config file are the flags' names without --.",
    "",
    "A script can wait for three things only; all other output may change:",
    "  the line `Gantry is ready at URL` on standard output: the station answers, and has looked for its engines;",
    "  GET /healthz with status 200: the station answers; a request for an engine waits until that was first listed;",
    "  the exit code: 0 ended on request, 2 wrong use or set-up, 74 the disk failed, 70 a fault of the station.",
  ].join("\n");
}
