/** Returns the key that tasks lock, and that port claims belong to, for a container: `docker/c/web`. */
export function containerKey(type: string, name: string): string {
  return `${type}/c/${name}`;
}
