import { once } from "node:events";
import { rmSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { testEngines } from "./engines.ts";

export interface LyingDocker {
  address: string;
  /** Answers of `answer` so far. */
  answered(): number;
  /** From now on pulls are answered so; `undefined`: by Docker itself. */
  answer(how: ((response: ServerResponse, request: IncomingMessage) => void) | undefined): void;
  close(): Promise<void>;
}

/** Stands between a station and the real Docker, and answers its pulls in Docker's place. */
export async function startLyingDocker(path: string): Promise<LyingDocker> {
  let how: Parameters<LyingDocker["answer"]>[0];
  let answered = 0;
  const server = http.createServer((request, response) => {
    if (how && request.url?.includes("/images/create")) {
      answered++;
      return how(response, request);
    }
    const { method, url, headers } = request;
    const sent = http.request({ socketPath: testEngines().dockerSocket, method, path: url, headers });
    sent.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    sent.on("error", () => response.destroy());
    response.on("close", () => sent.destroy());
    request.pipe(sent);
  });
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, "listening");
  return {
    address: `unix://${path}`,
    answered: () => answered,
    answer: (next) => void (how = next),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers a pull with these lines; `cut`: the connection is cut behind them. */
export function says(lines: readonly string[], { cut = false } = {}): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const text = lines.map((line) => `${line}\r\n`).join("");
    if (cut) response.write(text, () => response.destroy());
    else response.end(text);
  };
}
