import type { Verb } from "../../api/verbs.ts";
import { authorize, type User } from "../access/policy.ts";
import type { Owners } from "../access/owners.ts";
import type { ContainerPlace } from "../contract/services.ts";
import type { ContainerLookup, FoundContainer } from "./lookup.ts";

/** Looks up a container that a user may do something with. Throws as `authorize` and `ContainerLookup`. */
export type AuthorizedLookup = (user: User, verb: Verb, place: ContainerPlace) => Promise<FoundContainer>;

/** Makes the look-up. */
export function createAuthorizedLookup(lookup: ContainerLookup, owners: Owners): AuthorizedLookup {
  return async (user, verb, place) => {
    authorize(user, verb);
    const found = await lookup(place);
    if (user.role !== "admin") authorize(user, verb, [await owners.of(place.type, found.container, place.id)]);
    return found;
  };
}
