import type http from "node:http";

import { AppError } from "../../../errors.ts";
import type { PullOptions, RegistryLogin } from "../../images.ts";
import { parseImageName, registryHostOf } from "../../image-name.ts";
import { cancelled, reasonOf } from "../failures.ts";
import { pullCutOff, pullFailure } from "./pull-failures.ts";
import type { DockerHttp } from "../client/http.ts";
import { jsonLines } from "../client/json-lines.ts";
import { createPullMeter, type PullLine, type PullMeter } from "./pull-meter.ts";

/**
 * Pulls an image. Throws `engine_unavailable` when Docker does not answer or its answer is cut off, `engine_failed` when the
 * answer cannot be read, and what the registry is to blame for as `not_found` or `remote_failed`.
 */
export async function pullImage(docker: DockerHttp, reference: string, options: PullOptions): Promise<void> {
  const name = parseImageName("docker", reference);
  const host = registryHostOf(name.image);
  const registry = host === undefined ? "Docker Hub" : `The registry ${host}`;
  const { login, signal } = options;
  const meter = createPullMeter(options.onProgress);
  let answer: http.IncomingMessage;
  try {
    answer = await docker.open({
      method: "POST",
      path: "/images/create",
      // Without a tag Docker would pull every one.
      query: { fromImage: name.image, tag: name.digest ?? name.tag },
      ...(login && { headers: { "X-Registry-Auth": encodeLogin(login) } }),
      signal,
    });
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === "" ? error : pullFailure(reason, reference, registry);
  }
  const failed = await readPull(answer, { reference, meter, signal });
  if (failed !== undefined) throw pullFailure(failed, reference, registry);
  meter.finish();
}

interface Reading {
  reference: string;
  meter: PullMeter;
  signal: AbortSignal;
}

/**
 * Returns the reason of a failure, if there is one. Reads to the end even after it: a refused login comes with status 200,
 * in the last line.
 */
async function readPull(
  answer: http.IncomingMessage,
  { reference, meter, signal }: Reading,
): Promise<string | undefined> {
  let failed: string | undefined;
  try {
    for await (const line of jsonLines(answer)) {
      failed ??= failureIn(line);
      meter.add(line);
    }
  } catch (error) {
    if (signal.aborted) throw cancelled(error);
    // Docker ends the connection itself behind some errors.
    if (failed !== undefined) return failed;
    throw error instanceof AppError ? error : pullCutOff(reference, error);
  } finally {
    answer.destroy();
  }
  if (signal.aborted) throw cancelled();
  return failed;
}

/**
 * Returns the reason of a failed pull; undefined for any other line. `error` is the older form, which Docker calls
 * deprecated; others that speak its API may send only `errorDetail`.
 */
function failureIn({ error, errorDetail }: PullLine): string | undefined {
  const told = (errorDetail as { message?: unknown } | null | undefined)?.message ?? error;
  if (typeof told === "string" && told !== "") return told;
  return error === undefined && errorDetail === undefined ? undefined : "no reason given";
}

/** Returns padded base64 with the URL alphabet; Docker does not read it without the padding. */
function encodeLogin(login: RegistryLogin): string {
  const json = JSON.stringify({
    username: login.username,
    password: login.password,
    serveraddress: login.serverAddress,
  });
  return Buffer.from(json).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
