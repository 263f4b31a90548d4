import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** One item of a stream; `data` is parsed. */
export interface Item {
  id: number | undefined;
  event: string;
  data: { seq?: number; tid?: number; progress?: number; detail_state?: string; data?: { tid: number; state: string } };
}

export interface Stream {
  readonly items: readonly Item[];
  /** When each came; monotonic, milliseconds. */
  readonly times: readonly number[];
  /** Resolves when the server has ended it; rejects when that takes longer. */
  endsWithin(ms: number): Promise<void>;
  /** Resolves when what has come satisfies the condition. */
  until(condition: (items: readonly Item[]) => boolean): Promise<void>;
  close(): void;
}

const patience = 60_000;

/** A client of GET /event/stream with the session of this cookie. */
export async function openStream(url: string, who: string | { token: string }, lastEventId?: number): Promise<Stream> {
  const credentials = typeof who === "string" ? { cookie: who } : { authorization: `Bearer ${who.token}` };
  const headers = { ...credentials, ...(lastEventId !== undefined && { "Last-Event-ID": String(lastEventId) }) };
  const request = get(`${url}/container-station/api/v1/event/stream`, { headers, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream is answered with ${response.statusCode}`);
  const items: Item[] = [];
  const times: number[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  response.setEncoding("utf8");
  response.on("data", (text: string) => {
    const frames = (rest + text).split("\n\n");
    rest = frames.pop() ?? "";
    const came = frames.flatMap(parse);
    items.push(...came);
    times.push(...came.map(() => performance.now()));
    for (const look of waiting) look();
  });
  const ended = new Promise<void>((resolve) => response.once("close", resolve));
  response.on("error", () => undefined);
  request.on("error", () => undefined);

  return {
    items,
    times,
    async endsWithin(ms) {
      const late = sleep(ms, "late", { ref: false });
      if ((await Promise.race([ended, late])) === "late") throw new Error(`the stream is still open after ${ms} ms`);
    },
    until(condition) {
      return new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`not within ${patience} ms: ${JSON.stringify(items)}`));
        const timer = setTimeout(fail, patience);
        const look = () => {
          if (!condition(items)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    close: () => void request.destroy(),
  };
}

/** Nothing for a comment. */
function parse(frame: string): Item[] {
  const fields = new Map(frame.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]));
  const event = fields.get("event");
  if (event === undefined) return [];
  const id = fields.get("id");
  return [
    {
      id: id === undefined ? undefined : Number(id),
      event,
      data: JSON.parse(fields.get("data") ?? "") as Item["data"],
    },
  ];
}

/** States of a task, in the order in which they came. */
export function statesOf(items: readonly Item[], tid: number): string[] {
  return items.flatMap(({ data }) => (data.data?.tid === tid ? [data.data.state] : []));
}

export function idsOf(items: readonly Item[]): number[] {
  return items.flatMap(({ id }) => id ?? []);
}
