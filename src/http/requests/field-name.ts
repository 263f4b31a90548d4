/** Returns how a message names the field that these keys lead to: `network.port[0][2]`, `volume.host["/Public/a"].bind`. */
export function fieldName(keys: string[]): string {
  const shown = keys.map((key) => suffix(key.length > 64 ? `${key.slice(0, 61)}...` : key)).join("");
  return shown.startsWith(".") ? shown.slice(1) : shown;
}

function suffix(key: string): string {
  if (/^[0-9]+$/.test(key)) return `[${key}]`;
  return /^[a-zA-Z_][a-zA-Z0-9_-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
