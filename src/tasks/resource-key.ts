declare const brand: unique symbol;

/** The key of a thing that tasks lock: `SCOPE/TYPE/NAME`, such as `docker/c/web`. `resourceKey` makes it. */
export type ResourceKey = string & { readonly [brand]: "ResourceKey" };

/** What keys name: `c` = container, `i` = image, `mac` and `address` = an address of a network card. */
const types = ["c", "i", "mac", "address"] as const;

/** A thing that tasks lock. */
export interface Resource {
  /** Type of the engine that has it, such as `docker`; `host` for what all engines share. */
  scope: string;
  /** What it is. */
  type: (typeof types)[number];
  /** Its name, which may contain slashes. */
  name: string;
}

const format = new RegExp(`^([a-z]+)/(${types.join("|")})/(.+)$`, "s");

/** Returns the key of a thing. Throws a `TypeError` if its scope or its name is empty. */
export function resourceKey({ scope, type, name }: Resource): ResourceKey {
  const key = `${scope}/${type}/${name}`;
  if (!isResourceKey(key)) throw new TypeError(`This is no key of a resource: ${key}`);
  return key;
}

/** Returns what a key names; undefined for a text that is no key. */
export function parseResourceKey(key: string): Resource | undefined {
  const [, scope, word, name] = format.exec(key) ?? [];
  const type = types.find((one) => one === word);
  return scope === undefined || name === undefined || type === undefined ? undefined : { scope, type, name };
}

function isResourceKey(text: string): text is ResourceKey {
  return format.test(text);
}
