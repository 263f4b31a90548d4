import { once } from "node:events";
import { WebSocket } from "ws";

import { AppError } from "../../../errors.ts";
import { commandInFolder, numericUser, type NumericUser, assertMapped } from "../../processes/exec-command.ts";
import { keepStart, type KeptOutput } from "../../../util/process/kept-output.ts";
import { outputLimit, type ExecRequest, type ExecResult } from "../../container-life.ts";
import { notStarted } from "./not-started.ts";
import { cancelled, connectionFailure } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { instancePath, requireInstance } from "../client/instance.ts";
import type { Operation, Operations } from "../client/operations.ts";

/** The sockets of a program, by what they carry; it starts when all are connected. */
interface Sockets {
  "0": WebSocket;
  "1": WebSocket;
  "2": WebSocket;
  control: WebSocket;
}

const waitAtOnce = 20_000;
const killed = { command: "signal", signal: 9 };

/** Runs a program in a container to its end; as `ContainerLife.exec`. */
export type Exec = (name: string, request: ExecRequest, signal: AbortSignal) => Promise<ExecResult>;

/** Returns the engine's `exec`. */
export function createExec(http: LxdHttp, operations: Operations): Exec {
  return async function exec(name, request, signal) {
    const { status } = await requireInstance(http, name, signal);
    if (status !== "Running") throw new AppError("conflict", `The LXD container ${name} does not run.`);
    const user = numericUser(request.user, "LXD");
    if (request.user !== undefined) {
      const state = await http.get<{ pid: number }>(`${instancePath(name)}/state`, signal);
      await assertMapped(state.pid, user);
    }
    const { argv, check } = commandInFolder(request);
    const body = bodyOf(request, argv, user);
    const operation = await operations.begin({ method: "POST", path: `${instancePath(name)}/exec`, body }, signal);
    if (!operation) throw connectionFailure(new Error("no operation"), http.socket);
    const result = await follow({ http, operations, operation }, signal);
    return (await notStarted(http, name, { argv, environment: request.environment }, result)) ?? check(result);
  };
}

interface Following {
  http: LxdHttp;
  operations: Operations;
  operation: Operation;
}

/** Reads the output of a program that LXD has begun, waits for its end, and kills it when the signal aborts. */
async function follow({ http, operations, operation }: Following, signal: AbortSignal): Promise<ExecResult> {
  const sockets = connect(http.socket, operation);
  const kill = (): void => end(sockets);
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  try {
    const output = { stdout: keepStart(outputLimit), stderr: keepStart(outputLimit) };
    const whole = await Promise.all([readAll(sockets["1"], output.stdout), readAll(sockets["2"], output.stderr)]);
    const exitCode = await exitOf(operations, operation.id);
    if (signal.aborted) throw cancelled();
    const truncated = output.stdout.truncated() || output.stderr.truncated() || whole.includes(false);
    return { exitCode, stdout: output.stdout.text(), stderr: output.stderr.text(), truncated };
  } catch (error) {
    throw signal.aborted ? cancelled(error) : error instanceof AppError ? error : connectionFailure(error, http.socket);
  } finally {
    signal.removeEventListener("abort", kill);
    for (const socket of Object.values(sockets) as WebSocket[]) socket.terminate();
  }
}

function bodyOf(request: ExecRequest, command: readonly string[], { uid, gid }: NumericUser): Record<string, unknown> {
  return {
    command,
    environment: Object.fromEntries(
      request.environment.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
    ),
    user: uid,
    ...(gid !== undefined && { group: gid }),
    "wait-for-websocket": true,
    interactive: false,
  };
}

function connect(socket: string, { id, metadata }: Operation): Sockets {
  const secrets = (metadata?.["fds"] ?? {}) as Record<keyof Sockets, string>;
  const open = (fd: keyof Sockets): WebSocket => {
    const path = `/1.0/operations/${id}/websocket?secret=${secrets[fd]}`;
    // LXD pings at once and closes when the program has ended: a pong would then fail, and what is still to be read be lost.
    const opened = new WebSocket(`ws+unix:${socket}:${path}`, { perMessageDeflate: false, autoPong: false });
    // The reader sees its end; an error without a listener would end the process.
    opened.on("error", () => undefined);
    return opened;
  };
  const sockets = { "0": open("0"), "1": open("1"), "2": open("2"), control: open("control") };
  // An empty text is the end of what the program can read.
  sockets["0"].once("open", () => sockets["0"].send(""));
  return sockets;
}

/** Reads a stream, and returns whether it was read to its end, which LXD says by a text message. */
async function readAll(socket: WebSocket, kept: KeptOutput): Promise<boolean> {
  let whole = false;
  socket.on("message", (data: Buffer, binary: boolean) => {
    if (binary) kept.add(data);
    else {
      whole = true;
      socket.close();
    }
  });
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, "close");
  return whole;
}

function end(sockets: Sockets): void {
  const { control } = sockets;
  const last = (): void => {
    control.send(JSON.stringify(killed), () => {
      for (const socket of [sockets["0"], sockets["1"], sockets["2"]]) socket.close();
    });
  };
  if (control.readyState === WebSocket.OPEN) last();
  else control.once("open", last);
}

/**
 * Waits for the end of a program and returns its exit code. LXD calls it a failure when that is 126 or 127, and gives
 * it all the same.
 */
async function exitOf(operations: Operations, id: string): Promise<number> {
  let operation = await operations.wait(id, waitAtOnce);
  while (operation.status_code < 200) operation = await operations.wait(id, waitAtOnce);
  const code = operation.metadata?.["return"];
  if (code !== 126 && code !== 127) operations.check(operation);
  if (typeof code !== "number") throw new AppError("engine_failed", "LXD does not say how the program ended.");
  return code;
}
