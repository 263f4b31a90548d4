/**
 * Returns what LXC's log says in its first line of an error, without where in LXC that was; undefined when there is none.
 * Messages of the modules af_unix and commands are passed over: they follow from other failures.
 */
export function firstLoggedError(log: string): string | undefined {
  const line = log.split("\n").find((entry) => / ERROR +(?!af_unix|commands)/.test(entry));
  return line?.split(/\.c:\w+:\d+ - /)[1];
}
