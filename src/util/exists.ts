import { access } from "node:fs/promises";

/** Tells whether a path exists and this process may look it up. Symbolic links are followed. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
