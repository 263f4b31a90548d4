import type { Container } from "../engines/engine.ts";

/** Containers by id and by name; of two with one name the one that was put last counts. */
export function createContainerTable() {
  const byId = new Map<string, Container>();
  const byName = new Map<string, Container>();

  function drop(id: string): Container | undefined {
    const known = byId.get(id);
    if (!known) return undefined;
    byId.delete(id);
    if (byName.get(known.name) === known) byName.delete(known.name);
    return known;
  }

  return {
    /** Answers what was known of it before. */
    put(container: Container): Container | undefined {
      const before = drop(container.id);
      byId.set(container.id, container);
      byName.set(container.name, container);
      return before;
    },
    drop,
    ids: () => [...byId.keys()],
    byId: (id: string) => byId.get(id),
    byName: (name: string) => byName.get(name),
    all: () => byId.values(),
  };
}
