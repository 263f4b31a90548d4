import type { CommitRequest } from "../../container-life.ts";
import { parseImageName } from "../../image-name.ts";
import type { DockerHttp } from "../client/http.ts";
import { readId, notDone } from "../failures.ts";
import { requireContainer } from "../client/container.ts";
import { taskLabel } from "../labels.ts";

/**
 * Makes an image of a container and returns the image's id. The image has the container's labels: without the mark, what
 * others make of it is not taken for the station's. Throws `not_found`.
 */
export async function commitImage(
  http: DockerHttp,
  id: string,
  request: CommitRequest,
  signal?: AbortSignal,
): Promise<string> {
  const { Id } = await requireContainer(http, id, signal);
  const { image: repo, tag } = parseImageName("docker", request.reference);
  const query = { container: Id, repo, tag, author: request.author, comment: request.message };
  const changes = { changes: `LABEL ${taskLabel}=""` };
  const made = await http.json<{ Id: string }>({
    method: "POST",
    path: "/commit",
    query: { ...query, ...changes },
    signal,
  });
  const what = `made the image ${request.reference}`;
  const image = readId(made, what);
  const named = await http.json<{ Id: string }>({
    path: `/images/${encodeURIComponent(request.reference)}/json`,
    signal,
  });
  if (readId(named, what) !== image) throw notDone(what);
  return made.Id;
}
