import type { backgroundRoutes } from "../../api/routes/background.ts";
import type { Services } from "../../services/contract/services.ts";
import { disconnectSignal } from "../connections/disconnect.ts";
import { addOptions } from "../requests/idempotency.ts";
import { numberOf } from "../requests/text-values.ts";
import { sendList } from "../responses/list.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

/** `page` is what the route of the list calls when the client asks for a part of it. */
type Called = CalledServices<typeof backgroundRoutes> & { background: Pick<Services["background"], "page"> };

/** Returns the handlers of the routes for background tasks. */
export function backgroundHandlers({ background }: Called): Handlers<typeof backgroundRoutes> {
  return {
    "background.add:create": (request) =>
      background.add(callerOf(request), "create", request.body, addOptions(request)),
    "background.add:image_download": (request) =>
      background.add(callerOf(request), "image_download", request.body, addOptions(request)),
    "background.add:image_pull": (request) =>
      background.add(callerOf(request), "image_pull", request.body, addOptions(request)),
    "background.add:image_remove": (request) =>
      background.add(callerOf(request), "image_remove", request.body, addOptions(request)),
    "background.refuse": (request) => background.refuse(callerOf(request), request.params.category),
    async "background.list"(request, reply) {
      const { category, limit, before } = request.query;
      const filter = { category, before: numberOf(before) };
      if (limit === undefined) {
        const parts = await background.list(callerOf(request), filter, disconnectSignal(reply));
        return sendList(reply, parts);
      }
      const { tasks, next } = await background.page(callerOf(request), { ...filter, limit: Number(limit) });
      if (next !== undefined) reply.header("link", nextLink({ category, limit, before: String(next) }));
      return tasks;
    },
    "background.get": (request) => background.get(callerOf(request), request.params.id),
    "background.remove:all": (request) => background.remove(callerOf(request), undefined),
    "background.remove": (request) => background.remove(callerOf(request), request.params.target),
  };
}

/** Returns a link to the next page. It is relative, so that it is right below every prefix of the API. */
function nextLink(query: { category: string | undefined; limit: string; before: string }): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `<?${new URLSearchParams(given).toString()}>; rel="next"`;
}
