import { Type } from "typebox";

const characters = "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}";
const rule = "2 to 64 letters, digits, '_', '.' or '-', the first a letter or digit";

/**
 * A name for a new container: no option, no path, no shell metacharacter, and nothing that could be taken for an id,
 * because Docker looks for ids, names and beginnings of ids in one place.
 */
export const ContainerName = Type.String({
  pattern: `^(?![0-9a-f]{12,64}$)${characters}$`,
  description: `${rule}, and not 12 to 64 of 0-9 and a-f alone, as an id`,
});

/** The name or the id of an existing container. */
export const ContainerReference = Type.String({
  pattern: `^${characters}$`,
  description: "a container's name, its id, or at least 12 digits of its id",
});
