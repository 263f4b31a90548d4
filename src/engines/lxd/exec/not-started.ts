import { hasCode } from "../../../errors.ts";
import { noProgram, notExecutable } from "../../processes/unstartable.ts";
import type { ExecResult } from "../../container-life.ts";
import type { LxdHttp } from "../client/http.ts";
import { instancePath } from "../client/instance.ts";

/** LXD's own, when a request has none. */
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";

interface Asked {
  argv: readonly string[];
  environment: readonly string[];
}

/**
 * Returns what a shell would return for a program that is not there, or is none. LXD ends both as a program ends that
 * says nothing and exits with 126 or 127, so the program is looked for. Returns undefined when it is there and the
 * result is its own.
 */
export async function notStarted(
  http: LxdHttp,
  name: string,
  { argv: [program = ""], environment }: Asked,
  { exitCode, stdout, stderr }: ExecResult,
): Promise<ExecResult | undefined> {
  if ((exitCode !== 126 && exitCode !== 127) || stdout !== "" || stderr !== "") return undefined;
  const path = environment.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? usualPath;
  const places = program.includes("/") ? [program] : path.split(":").map((folder) => `${folder}/${program}`);
  const found = (await Promise.all(places.map((place) => modeOf(http, name, place)))).filter(Boolean);
  if (found.length === 0) return exitCode === 127 ? noProgram(program) : undefined;
  return exitCode === 126 && found.every((one) => one === "unfit") ? notExecutable(program) : undefined;
}

/**
 * Returns what is at a path; undefined when there is nothing. What a link leads to is not known, so it counts as a
 * program.
 */
async function modeOf(http: LxdHttp, name: string, path: string): Promise<"program" | "unfit" | undefined> {
  try {
    const at = `${instancePath(name)}/files?path=${encodeURIComponent(path)}`;
    const { headers } = await http.raw(at, { method: "HEAD" });
    const executable = (Number.parseInt(String(headers["x-lxd-mode"]), 8) & 0o111) > 0;
    return headers["x-lxd-type"] !== "directory" && executable ? "program" : "unfit";
  } catch (error) {
    if (hasCode(error, "not_found")) return undefined;
    return "program";
  }
}
