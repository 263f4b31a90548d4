import type { Container, Engine, EngineEvent } from "../engines/engine.ts";

/** Is told about changes of a view. Except for `event`, every method is called after the view has changed. */
export interface ViewListener {
  /** The engine has listed all its containers. Events named those in `uncertain` meanwhile: the list may be older. */
  resynced?(engine: Engine, containers: readonly Container[], uncertain: ReadonlySet<string>): void;
  /** A container has started: its first process is another one than before. */
  started?(engine: Engine, container: Container): void;
  /** A container was inspected. It may be unchanged. */
  inspected?(engine: Engine, container: Container): void;
  /** A container no longer exists. `container` is its last known state. */
  removed?(engine: Engine, container: Container): void;
  /** The engine has sent an event. The view still has the state before; `known` is the container's entry, if any. */
  event?(engine: Engine, event: EngineEvent, known: Container | undefined): void;
}
