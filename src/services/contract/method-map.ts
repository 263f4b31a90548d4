import type { Services } from "./services.ts";

/** The name of a method of the services, as `background.add`. */
export type MethodName = { [S in keyof Services]: `${S}.${keyof Services[S] & string}` }[keyof Services];

export type Method = (...args: unknown[]) => unknown;

/** Returns the services with each method replaced by what `replace` makes of it; `name` is such as `background.add`. */
export function mapMethods(services: Services, replace: (name: string, method: Method) => Method): Services {
  const groups = Object.entries(services).map(([group, methods]) => {
    const replaced = Object.entries(methods as Record<string, Method>).map(([verb, method]) => [
      verb,
      replace(`${group}.${verb}`, method),
    ]);
    return [group, Object.fromEntries(replaced)];
  });
  return Object.fromEntries(groups) as Services;
}
