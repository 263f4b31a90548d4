import type { Container } from "../engines/engine.ts";

/** Keeps containers by id and by name. If two have one name, the name belongs to the one that was put last. */
export function createContainerTable() {
  const byId = new Map<string, Container>();
  const byName = new Map<string, Container>();

  function remove(id: string): Container | undefined {
    const known = byId.get(id);
    if (!known) return undefined;
    byId.delete(id);
    if (byName.get(known.name) === known) byName.delete(known.name);
    return known;
  }

  return {
    /** Adds or replaces a container. Returns its former entry, if any. */
    put(container: Container): Container | undefined {
      const before = remove(container.id);
      byId.set(container.id, container);
      byName.set(container.name, container);
      return before;
    },
    remove,
    ids: () => [...byId.keys()],
    byId: (id: string) => byId.get(id),
    byName: (name: string) => byName.get(name),
    all: () => byId.values(),
  };
}
