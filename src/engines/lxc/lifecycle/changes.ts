import { AppError } from "../../../errors.ts";
import { runChild } from "../../processes/child.ts";
import { numericUser, assertMapped } from "../../processes/exec-command.ts";
import type { Container, Containers } from "../../engine.ts";
import type { StopOptions } from "../../container-life.ts";
import type { Addresses } from "../network/addresses.ts";
import { readConfig, settingsOf, withSettings, writeConfig } from "../files/config-file.ts";
import { execIn } from "../exec/exec.ts";
import type { ContainerFacts } from "../files/container-facts.ts";
import { cancelled, notFound } from "../failures.ts";
import type { Layout } from "../files/layout.ts";
import { inspected, isAutostart, readConsole, readSettings } from "../inspect/inspect.ts";
import { renameContainer } from "./rename.ts";
import { createReshape } from "../reshape/reshape.ts";
import type { Resizing } from "../reshape/resize.ts";
import type { RestartMark } from "../process/restart-mark.ts";

interface Deps {
  layout: Layout;
  /** LXC's own. */
  bridge: string;
  addresses: Addresses;
  resizing: Resizing;
  mark: RestartMark;
  facts: { get(name: string): Promise<ContainerFacts | undefined> };
  getById: Containers["getById"];
  look: () => Promise<void>;
  /** Tells those who listen that it is not as it was. */
  changed(name: string): void;
  turn<T>(name: string, work: () => Promise<T>): Promise<T>;
  startNow(name: string): Promise<void>;
  /** Kills it, and waits until all of it is gone. */
  end(name: string): Promise<void>;
  /** Resolves when it is stopped, or the milliseconds are over. */
  untilStopped(name: string, patience: number, signal?: AbortSignal): Promise<void>;
}

type Changes = Omit<Containers, "list" | "getById" | "getByName" | "create" | "start" | "stop" | "remove">;

const usualGrace = 10;
/** LXC's own when nothing is said. */
const usualSignal = "SIGPWR";
/** The first of the kernel's real-time signals that the C library leaves to programs. */
const realTime = 34;

/** Changes of a container that somebody asks for, and looks into it. */
export function createChanges(deps: Deps): Changes {
  const { layout, addresses, facts, getById, look, changed, mark, turn, startNow, end, untilStopped } = deps;
  const reshaping = createReshape({ ...deps, endGently });

  async function present(name: string, signal?: AbortSignal): Promise<Container> {
    const container = await getById(name, signal);
    if (!container) throw notFound(name);
    return container;
  }

  /** One thing after the other; who listens is told. */
  async function change<T>(name: string, signal: AbortSignal | undefined, act: (found: Container) => Promise<T>) {
    if (signal?.aborted) throw cancelled();
    try {
      return await turn(name, async () => act(await present(name, signal)));
    } finally {
      await look();
    }
  }

  async function endGently({ name, pid, paused }: Container, { grace = usualGrace, signal }: StopOptions) {
    if (pid === 0) return;
    if (grace > 0 && !paused) {
      ask(pid, settingsOf(await readConfig(layout, name), "lxc.signal.halt").at(-1) ?? usualSignal);
      await untilStopped(name, grace * 1000, signal);
    }
    if (signal?.aborted) throw cancelled();
    await end(name);
  }

  async function setFrozen(name: string, on: boolean, signal?: AbortSignal): Promise<void> {
    await change(name, signal, async ({ pid, paused = false }) => {
      if (pid === 0) throw new AppError("conflict", `The LXC container ${name} does not run.`);
      if (paused === on) return;
      const argv = [on ? "lxc-freeze" : "lxc-unfreeze", "-P", layout.path, "-n", name] as const;
      await runChild(argv, { task: "lxc", signal });
    });
  }

  async function rename(name: string, to: string, signal?: AbortSignal): Promise<string> {
    await change(name, signal, async ({ pid }) => {
      if (name === to) return;
      if (pid > 0) throw new AppError("conflict", `The LXC container ${name} runs: stop it to rename it.`);
      await renameContainer(layout, name, to);
      await addresses.move(name, to);
    });
    return to;
  }

  async function setAutostart(name: string, on: boolean, signal?: AbortSignal): Promise<void> {
    await change(name, signal, async () => {
      const config = await readConfig(layout, name);
      // The groups of one that starts already were chosen by somebody.
      if (isAutostart(settingsOf(config, "lxc.start.auto").at(-1)) === on) return;
      const wanted = { "lxc.start.auto": on ? "1" : undefined, "lxc.group": on ? "onboot" : undefined };
      await writeConfig(layout, name, withSettings(config, wanted));
    });
  }

  return {
    shutDown: (name, options = {}) =>
      change(name, options.signal, async (found) => {
        await endGently(found, options);
        await mark.clear(name);
      }),
    restart: (name, options = {}) =>
      change(name, options.signal, async (found) => {
        await endGently(found, options);
        await startNow(name);
      }),
    pause: (name, signal) => setFrozen(name, true, signal),
    unpause: (name, signal) => setFrozen(name, false, signal),
    rename,
    setAutostart,
    async logs(name, lines, signal) {
      await present(name, signal);
      return readConsole(layout, name, lines);
    },
    inspect: async (name, signal) => inspected(await present(name, signal)),
    async settings(name, signal) {
      await present(name, signal);
      const known = await facts.get(name);
      if (!known) throw notFound(name);
      return readSettings(layout, name, known);
    },
    async shape(name, signal) {
      await present(name, signal);
      return reshaping.shape(name);
    },
    planReshape: (name, wanted, signal) => change(name, signal, (found) => reshaping.plan(found, wanted, signal)),
    async reshape(name, wanted, signal) {
      await change(name, signal, (found) => reshaping.reshape(found, wanted, signal)).finally(() => changed(name));
    },
    commit: () => Promise.reject(new AppError("unsupported", "LXC makes no image of a container.")),
    async exec(name, request, signal) {
      const { pid, paused, mark } = await present(name, signal);
      if (pid === 0 || paused) throw new AppError("conflict", `The LXC container ${name} does not run.`);
      if (request.user !== undefined) await assertMapped(pid, numericUser(request.user, "LXC"));
      const task = mark ? `${mark.station}/${mark.task}` : "lxc";
      return execIn({ layout, name, task }, request, signal);
    },
  };
}

function ask(pid: number, word: string): void {
  const number = /^(?:SIG)?RTMIN\+(\d+)$/.exec(word)?.[1];
  try {
    process.kill(pid, number === undefined ? word : realTime + Number(number));
  } catch {
    // It ended meanwhile, or the word is none of Node's: it is killed then.
  }
}
