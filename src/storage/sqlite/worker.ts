import { parentPort, workerData } from "node:worker_threads";
import { errorKind, openTransactions } from "./transactions.ts";
import type { OpenOptions } from "./database.ts";

/**
 * The store's thread. One message = one batch = one transaction, so that calls which arrive while a commit waits for
 * the disk share the next one. Messages are JSON text: cheaper to pass than objects.
 *
 *     in:  [[verb, argument], ...]      out: {changed, answers: [[0, value] | [1, kind, message], ...]}
 */
const port = parentPort;
if (!port) throw new Error("to be run as a worker");

const { path, host, synchronous } = workerData as OpenOptions;
try {
  const transactions = openTransactions({ path, host, synchronous });
  port.on("message", (batch: string) => {
    if (batch === "close") {
      transactions.close();
      port.close();
      return;
    }
    port.postMessage(transactions.run(batch));
  });
  port.postMessage(JSON.stringify({ opened: transactions.identity }));
} catch (error) {
  port.postMessage(JSON.stringify({ failed: errorKind(error), message: String(error) }));
}
