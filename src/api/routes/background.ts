import { Type } from "typebox";
import { CreateRequest, ImageDownloadRequest } from "../create.ts";
import { ImageRemoveRequest } from "../image-remove.ts";
import type { RouteTable } from "../route.ts";
import { Task, TaskListQuery } from "../task.ts";

const path = "/api/v1/background";
const tag = "background";
const RemovedIds = Type.Array(Type.Integer(), { description: "Ids of the tasks that are gone, ascending" });

/** Background tasks. */
export const backgroundRoutes = {
  "background.add:create": {
    method: "POST",
    path: `${path}/create`,
    tag,
    summary: "Create and start a container",
    verb: "container:create",
    audited: true,
    body: CreateRequest,
    response: Task,
  },
  "background.add:image_download": {
    method: "POST",
    path: `${path}/image_download`,
    tag,
    summary: "Download an image",
    verb: "image:download",
    audited: true,
    body: ImageDownloadRequest,
    response: Task,
  },
  "background.add:image_pull": {
    method: "POST",
    path: `${path}/image_pull`,
    tag,
    summary: "Download an image",
    verb: "image:download",
    audited: true,
    body: ImageDownloadRequest,
    response: Task,
  },
  "background.add:image_remove": {
    method: "POST",
    path: `${path}/image_remove`,
    tag,
    summary: "Remove images",
    verb: "image:remove",
    audited: true,
    body: ImageRemoveRequest,
    response: Task,
  },
  "background.refuse": {
    method: "POST",
    path: `${path}/:category`,
    tag,
    summary: "A category that this version does not carry out",
    verb: "session",
    audited: false,
    params: Type.Object({ category: Type.String() }),
  },
  "background.list": {
    method: "GET",
    path,
    tag,
    summary: "List tasks, newest first",
    verb: "task:list",
    audited: false,
    query: TaskListQuery,
    response: Type.Array(Task),
  },
  "background.get": {
    method: "GET",
    path: `${path}/:id`,
    tag,
    summary: "A task with all its values",
    verb: "task:list",
    audited: false,
    params: Type.Object({ id: Type.String({ description: "A task's id" }) }),
    response: Task,
  },
  "background.remove:all": {
    method: "DELETE",
    path,
    tag,
    summary: "Delete all tasks that have ended",
    verb: "task:remove",
    audited: true,
    response: RemovedIds,
  },
  "background.remove": {
    method: "DELETE",
    path: `${path}/:target`,
    tag,
    summary: "Cancel or delete a task, or delete a category's",
    verb: "task:remove",
    audited: true,
    params: Type.Object({ target: Type.String({ description: "A task's id, or a category" }) }),
    response: RemovedIds,
  },
} satisfies RouteTable;
