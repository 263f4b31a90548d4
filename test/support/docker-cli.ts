import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { testEngines } from "./engines.ts";

const run = promisify(execFile);

/** The raw engine, for looking behind the station's back: the tests' own Docker through curl. */
export async function dockerApi<T>(method: string, path: string, body?: unknown): Promise<T> {
  const args = ["-sS", "-X", method, "--unix-socket", testEngines().dockerSocket, `http://docker${path}`];
  if (body !== undefined) args.push("-H", "Content-Type: application/json", "-d", JSON.stringify(body));
  const { stdout } = await run("curl", args, { maxBuffer: 64 << 20 });
  return (stdout ? JSON.parse(stdout) : undefined) as T;
}

export interface ListedContainer {
  Id: string;
  Names: string[];
  State: string;
  Labels: Record<string, string>;
}

export function listContainers(): Promise<ListedContainer[]> {
  return dockerApi<ListedContainer[]>("GET", "/containers/json?all=1");
}

export async function hasContainer(name: string): Promise<boolean> {
  return (await listContainers()).some(({ Names }) => Names.includes(`/${name}`));
}

export async function removeContainers(prefix: string): Promise<void> {
  for (const { Id, Names } of await listContainers()) {
    if (Names.some((name) => name.startsWith(`/${prefix}`))) await dockerApi("DELETE", `/containers/${Id}?force=1&v=1`);
  }
}

export async function removeImage(reference: string): Promise<void> {
  await dockerApi("DELETE", `/images/${reference}?force=1`);
}

export async function hasImage(reference: string): Promise<boolean> {
  const images = await dockerApi<{ RepoTags: string[] | null }[]>("GET", "/images/json");
  return images.some(({ RepoTags }) => RepoTags?.includes(reference));
}
