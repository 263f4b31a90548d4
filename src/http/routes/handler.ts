import type { FastifyReply, FastifyRequest } from "fastify";
import type { BodyOf, CalledMethod, ParamsOf, QueryOf, ResponseOf, Route } from "../../api/route.ts";
import type { Services } from "../../services/contract/services.ts";

/** What a request of a route carries, by its schemas. */
export interface RequestTypes<R extends Route> {
  /** Parameters of the path. */
  Params: ParamsOf<R>;
  /** Parameters of the query. */
  Querystring: QueryOf<R>;
  /** The body. */
  Body: BodyOf<R>;
}

/** Returns what a route responds, or has sent it by `reply` already. */
export type Handler<R extends Route> = (
  request: FastifyRequest<RequestTypes<R>>,
  reply: FastifyReply,
) => Promise<ResponseOf<R> | FastifyReply> | ResponseOf<R>;

/** A constraint for tables of routes whose types are kept, so that handlers know the types of their requests. */
export type Named<T> = Readonly<Record<keyof T, Route>>;

/** A handler for each route of a table. A missing or superfluous one is a compile error. */
export type Handlers<T extends Named<T>> = { [Name in keyof T]: Handler<T[Name]> };

/** Methods of one service among methods of all, as `start` of `lifecycle.start`. */
type MethodsOf<Service extends string, Method> = Method extends `${Service}.${infer Name}` ? Name : never;

/** The services that the routes of a table call, with only those methods that the routes are named after. */
export type CalledServices<T extends Named<T>> = {
  [S in keyof Services as [MethodsOf<S, CalledMethod<keyof T>>] extends [never] ? never : S]: Pick<
    Services[S],
    MethodsOf<S, CalledMethod<keyof T>> & keyof Services[S]
  >;
};
