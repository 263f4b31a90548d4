import { execFile } from "node:child_process";
import { request } from "node:http";
import { promisify } from "node:util";
import { testEngines } from "../test/support/engines.ts";
import { startStation, type TestStation } from "../test/support/station.ts";
import { removeContainers } from "../test/support/docker-cli.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";

const rounds = 30;

/** Create to running: the station beside the same two calls to the raw engine, and beside Docker's own command. */
export async function benchCreate(report: Report): Promise<void> {
  const station = await startStation();
  try {
    await viaStation(station, "bench-warm");
    const times = { raw: [] as number[], station: [] as number[], command: [] as number[] };
    for (let n = 0; n < rounds; n++) {
      times.raw.push(await timed(() => viaEngine(`bench-raw-${n}`)));
      times.station.push(await viaStation(station, `bench-station-${n}`));
      times.command.push(await timed(() => viaCommand(`bench-command-${n}`)));
    }
    // Pair by pair, so that the machine's drift during the run counts for neither.
    const over = median(times.station.map((own, n) => own - (times.raw[n] ?? Number.NaN)));
    const ratioTo = (other: readonly number[]) => median(times.station.map((own, n) => own / (other[n] ?? Number.NaN)));
    report.line("create to running, raw engine calls", median(times.raw), "ms");
    report.line("create to running, POST to the completed event", median(times.station), "ms");
    report.line("  over the raw calls", over, "ms", { atMost: 15 });
    report.line("  ratio to the raw calls", ratioTo(times.raw), "");
    report.line("  ratio to docker run -d", ratioTo(times.command), "");
  } finally {
    await station.close();
    await removeContainers("bench-");
  }
}

const docker = { type: "docker", repository: "local", image: "ubuntu", tag: "latest" };

/** Answers the milliseconds from the POST until the event of its end comes over the event stream. */
export async function viaStation(station: TestStation, name: string, image: object = docker): Promise<number> {
  const stream = new AbortController();
  const headers = { cookie: station.client.cookie() };
  const events = await fetch(`${station.url}/api/v1/event/stream`, { headers, signal: stream.signal });
  const reader = (events.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  const begun = performance.now();
  await station.client.add("create", { ...image, name });
  for (let text = ""; !(text.includes(`"${name}"`) && text.includes('"completed"'));)
    text += (await reader.read()).value ?? "";
  const took = performance.now() - begun;
  stream.abort();
  return took;
}

async function viaEngine(name: string): Promise<void> {
  const { Id } = await engine<{ Id: string }>(`/containers/create?name=${name}`, {
    Image: "ubuntu:latest",
    Tty: true,
    OpenStdin: true,
  });
  await engine(`/containers/${Id}/start`, undefined);
}

function engine<T>(path: string, body: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const call = request({ socketPath: testEngines().dockerSocket, path, method: "POST", headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve((text ? JSON.parse(text) : undefined) as T));
    });
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function viaCommand(name: string): Promise<void> {
  await promisify(execFile)("docker", ["-H", testEngines().docker, "run", "-dit", "--name", name, "ubuntu:latest"]);
}
