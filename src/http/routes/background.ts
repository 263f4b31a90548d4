import { Type } from "typebox";
import { CreateRequest, ImageDownloadRequest } from "../../api/create.ts";
import { ImageRemoveRequest } from "../../api/image-remove.ts";
import { Task, TaskListQuery } from "../../api/task.ts";
import type { BackgroundService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { untilHangUp } from "../hang-up.ts";
import { addOptions } from "../idempotency.ts";
import { sendList } from "../send-list.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/background";
const tags = ["background"];
const response = { 200: Task };
const RemovedIds = Type.Array(Type.Integer(), { description: "Ids of the tasks that are gone, ascending" });

export function backgroundRoutes(app: App, background: BackgroundService): void {
  addRoutes(app, background);

  const list = {
    tags,
    summary: "List tasks, newest first",
    querystring: TaskListQuery,
    response: { 200: Type.Array(Task) },
  };
  app.get(base, { schema: list }, async (request, reply) => {
    const { category, limit, before } = request.query;
    const filter = { category, before: numberOf(before) };
    if (limit === undefined) {
      const parts = await background.list(callerOf(request), filter, untilHangUp(reply));
      return sendList(reply, parts);
    }
    const { tasks, next } = await background.page(callerOf(request), { ...filter, limit: Number(limit) });
    if (next !== undefined) reply.header("link", nextLink({ category, limit, before: String(next) }));
    return tasks;
  });

  const one = Type.Object({ id: Type.String({ description: "A task's id" }) });
  const get = { tags, summary: "A task with all its values", params: one, response: { 200: Task } };
  app.get(`${base}/:id`, { schema: get }, (request) => background.get(callerOf(request), request.params.id));

  const removeAll = { tags, summary: "Delete all tasks that have ended", response: { 200: RemovedIds } };
  app.delete(base, { schema: removeAll }, (request) => background.remove(callerOf(request), undefined));

  const params = Type.Object({ target: Type.String({ description: "A task's id, or a category" }) });
  const remove = {
    tags,
    summary: "Cancel or delete a task, or delete a category's",
    params,
    response: { 200: RemovedIds },
  };
  app.delete(`${base}/:target`, { schema: remove }, (request) =>
    background.remove(callerOf(request), request.params.target),
  );
}

function addRoutes(app: App, background: BackgroundService): void {
  const create = { tags, summary: "Create and start a container", body: CreateRequest, response };
  app.post(`${base}/create`, { schema: create }, (request) =>
    background.add(callerOf(request), "create", request.body, addOptions(request)),
  );

  const download = { tags, summary: "Download an image", body: ImageDownloadRequest, response };
  for (const category of ["image_download", "image_pull"] as const) {
    app.post(`${base}/${category}`, { schema: download }, (request) =>
      background.add(callerOf(request), category, request.body, addOptions(request)),
    );
  }

  const remove = { tags, summary: "Remove images", body: ImageRemoveRequest, response };
  app.post(`${base}/image_remove`, { schema: remove }, (request) =>
    background.add(callerOf(request), "image_remove", request.body, addOptions(request)),
  );

  const params = Type.Object({ category: Type.String() });
  const others = { tags, summary: "A category that this version does not carry out", params };
  app.post(`${base}/:category`, { schema: others }, (request) =>
    background.refuse(callerOf(request), request.params.category),
  );
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Relative, so that it holds below every prefix of the API. */
function nextLink(query: { category: string | undefined; limit: string; before: string }): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `<?${new URLSearchParams(given).toString()}>; rel="next"`;
}
