import type { Verb } from "../../api/verbs.ts";
import { authorize, type User } from "../access/policy.ts";
import type { Owners } from "../access/owners.ts";
import type { ContainerPlace } from "../contract/services.ts";
import type { ContainerLookup, FoundContainer } from "./lookup.ts";

/** A container that this user may do this with, looked up; throws as `authorize` and the lookup. */
export type AuthorizedLookup = (user: User, verb: Verb, place: ContainerPlace) => Promise<FoundContainer>;

export function createAuthorizedLookup(lookup: ContainerLookup, owners: Owners): AuthorizedLookup {
  return async (user, verb, place) => {
    authorize(user, verb);
    const found = await lookup(place);
    if (user.role !== "admin") authorize(user, verb, [await owners.of(place.type, found.container, place.id)]);
    return found;
  };
}
