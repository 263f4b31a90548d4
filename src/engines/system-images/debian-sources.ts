import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns those of the host's package sources that are Debian's own for one release, by the name of the file they go
 * into.
 */
export async function debianSources(release: string, folder = "/etc/apt"): Promise<Record<string, string>> {
  const files = await namesIn(join(folder, "sources.list.d"));
  const paths = ["sources.list", ...files.map((name) => `sources.list.d/${name}`)].map((name) => join(folder, name));
  const read = async (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const texts = async (ending: string): Promise<string[]> =>
    Promise.all(paths.filter((path) => path.endsWith(ending)).map(read));
  const lines = (await texts(".list"))
    .flatMap((text) => text.split("\n"))
    .filter((line) => isWantedLine(line, release));
  const stanzas = (await texts(".sources"))
    .flatMap((text) => text.split(/\n\s*\n/))
    .filter((stanza) => isWantedStanza(stanza, release));
  // Updates alone are no release.
  const whole = [...lines.map(lineSuites), ...stanzas.map((stanza) => field(stanza, "Suites"))].flat();
  if (!whole.includes(release)) return {};
  return {
    ...(lines.length > 0 && { "debian.list": `${lines.join("\n")}\n` }),
    ...(stanzas.length > 0 && { "debian.sources": `${stanzas.map((stanza) => stanza.trim()).join("\n\n")}\n` }),
  };
}

/** Returns the files of the host that say how apt fetches: proxies, certificates, checks. */
export async function acquireFiles(folder = "/etc/apt"): Promise<string[]> {
  const names = await namesIn(join(folder, "apt.conf.d"));
  const paths = ["apt.conf", ...names.map((name) => `apt.conf.d/${name}`)].map((name) => join(folder, name));
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8").catch(() => "")));
  return paths.filter((_, index) => /^\s*Acquire/im.test(texts[index] ?? ""));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).toSorted((a, b) => (a < b ? -1 : 1));
}

/** deb [options] ADDRESS SUITE COMPONENT... */
const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?(?<address>\S+)\s+(?<suite>\S+)\s+(?<components>.+)$/;

function isWantedLine(line: string, release: string): boolean {
  const { address = "", components = "" } = oneLine.exec(line.trim())?.groups ?? {};
  return isDebian([address], lineSuites(line), components.split(/\s+/), release);
}

function lineSuites(line: string): string[] {
  const suite = oneLine.exec(line.trim())?.groups?.["suite"];
  return suite === undefined ? [] : [suite];
}

function isWantedStanza(stanza: string, release: string): boolean {
  const [types, enabled] = [field(stanza, "Types"), field(stanza, "Enabled")];
  if (!types.includes("deb") || enabled[0] === "no") return false;
  return isDebian(field(stanza, "URIs"), field(stanza, "Suites"), field(stanza, "Components"), release);
}

function field(stanza: string, name: string): string[] {
  const lines = stanza.replaceAll(/^#.*\n/gm, "");
  const value = new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, "im").exec(lines)?.[1] ?? "";
  return value.split(/\s+/).filter((word) => word !== "");
}

/**
 * Returns whether a package source is Debian's own: others have the same suites, and an address with a password in it
 * must not get into an image.
 */
function isDebian(addresses: string[], suites: string[], components: string[], release: string): boolean {
  const own = [release, `${release}-updates`, `${release}-security`, `${release}/updates`];
  return (
    addresses.length > 0 &&
    suites.length > 0 &&
    addresses.every((address) => /\/debian(?:-security)?\/*$/.test(address) && !address.includes("@")) &&
    suites.every((suite) => own.includes(suite)) &&
    components.includes("main")
  );
}
