import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { returnIdleMemory } from "../../util/idle-memory.ts";
import { errorKind, openTransactions } from "./transactions.ts";
import type { OpenOptions } from "./database.ts";

/**
 * The store's thread. All messages that arrive while a commit waits for the disk make one batch, and a batch is one
 * transaction, so that the calls of many requests share the next commit. Messages are JSON text, which is cheaper to pass
 * than objects.
 *
 *     in:  [verb, argument],...      out: {changed, answers: [[0, value] | [1, kind, message], ...]}
 */
const port = parentPort;
if (!port) throw new Error("to be run as a worker");

const { path, host, synchronous } = workerData as OpenOptions;
try {
  const transactions = openTransactions({ path, host, synchronous });
  port.on("message", (first: string) => {
    const messages = [first, ...waitingMessages(port)];
    const closing = messages.at(-1) === "close";
    if (closing) messages.pop();
    if (messages.length > 0) port.postMessage(transactions.run(`[${messages.join(",")}]`));
    if (!closing) return;
    transactions.close();
    port.close();
  });
  port.postMessage(JSON.stringify({ opened: transactions.identity }));
  returnIdleMemory();
} catch (error) {
  port.postMessage(JSON.stringify({ failed: errorKind(error), message: String(error) }));
}

/** Takes the messages that have arrived. "close" is always the last one. */
function* waitingMessages(from: MessagePort): Generator<string> {
  for (let next = receiveMessageOnPort(from); next; next = receiveMessageOnPort(from)) yield next.message as string;
}
