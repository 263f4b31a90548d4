import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** What Node alone can do: a body that is parsed, an answer of a task's size, and nothing kept. Its first line is its URL. */
let id = 0;
const server = createServer((request, response) => {
  text(request).then((body) => {
    const params: unknown = JSON.parse(body);
    const task = {
      id: ++id,
      category: "create",
      name: "bare",
      state: "waiting",
      user: "admin",
      deletable: false,
      params,
    };
    const answer = JSON.stringify(task, undefined, 2);
    response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(answer);
  }, response.destroy);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(`http://127.0.0.1:${address.port}`);
});
