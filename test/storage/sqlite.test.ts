import { taskStoreContract } from "./contract.ts";
import { openTemporary } from "./temporary.ts";

taskStoreContract("sqlite", async () => {
  const { database, close } = await openTemporary();
  return { tasks: database.tasks, events: database.events, close };
});
