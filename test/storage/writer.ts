/**
 * A process that accepts tasks without end, several at once, and says the name of each when it is acknowledged. At the
 * first fatal error it says "fatal" and ends.
 *
 *     node writer.ts DATABASE
 */
import { writeSync } from "node:fs";
import { newTask } from "./contract-fixture.ts";
import { openDatabase } from "../../src/storage/sqlite/database.ts";

/** Whoever reads may be slow: the pipe is full then. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const { tasks } = await openDatabase({ path: process.argv[2] ?? "", host: "test", synchronous: "FULL" }, (reason) => {
  say(`fatal ${reason}`);
  process.exit(3);
});
say("ready");
await Promise.all(
  Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; ; n++) {
      const name = `${writer}-${n}`;
      await tasks.accept(
        newTask({ name, locks: [[name, "X"]], creates: name, ports: [{ protocol: `p${writer}`, port: n }] }),
      );
      say(name);
    }
  }),
);
