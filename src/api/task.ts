import { Type, type Static } from "typebox";

/** The documented categories of background tasks, and the alias that some clients send. */
export const taskCategories = [
  "create",
  "application",
  "application_upgrade",
  "image_download",
  "image_remove",
  "image_push",
  "image_export",
  "container_import",
  "container_export",
] as const;
export type TaskCategory = (typeof taskCategories)[number];

export const categoryAliases: Readonly<Record<string, TaskCategory>> = { image_pull: "image_download" };

export const Task = Type.Object(
  {
    category: Type.String({ description: "Task category" }),
    cut: Type.Optional(
      Type.Literal(true, { description: "Long values are cut here; GET /background/ID shows them whole" }),
    ),
    deletable: Type.Boolean({ description: "It can be cancelled now" }),
    detail_state: Type.String({ description: "Detail of the task's progress" }),
    end: Type.Optional(Type.Integer({ description: "Time of completion, epoch seconds" })),
    error: Type.Optional(Type.String({ description: "What failed, where, and what to do" })),
    id: Type.Integer({ description: "Unique task id" }),
    init: Type.Integer({ description: "Time of the request, epoch seconds" }),
    name: Type.String({ description: "Container name, or image:tag" }),
    params: Type.Unknown({
      description: "The request as sent, secrets masked; without environment and commands for a viewer",
    }),
    progress: Type.Integer({ minimum: -1, maximum: 100, description: "Percent, -1 = unknown" }),
    result: Type.Optional(Type.Integer({ description: "0 = success" })),
    start: Type.Optional(Type.Integer({ description: "Time of the start, epoch seconds" })),
    state: Type.Union(
      [Type.Literal("waiting"), Type.Literal("running"), Type.Literal("completed"), Type.Literal("error")],
      { description: "Cancelling is running; a cancelled task is not shown" },
    ),
    user: Type.String({ description: "Who asked for it" }),
  },
  { $id: "Task" },
);
export type Task = Static<typeof Task>;

export const TaskListQuery = Type.Object({
  category: Type.Optional(Type.String({ description: "Only this category" })),
  limit: Type.Optional(
    Type.String({
      pattern: "^[1-9][0-9]{0,5}$",
      description:
        "A whole number from 1 to 999999: at most so many; where there are more, the Link header has the next page",
    }),
  ),
  before: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$", description: "The id of a task: only older ones" })),
});
