/** Characters of a request that a list shows, and of one text in it. A single task is shown whole. */
const mostOfAll = 4096;
const mostOfText = 512;
const ending = "... (cut)";

/** Returns a value with its long parts cut, and whether anything was. `size`: the characters of its JSON. */
export function cutLong(value: unknown, size: number): { value: unknown; cut: boolean } {
  if (size <= mostOfAll) return { value, cut: false };
  const budget = { left: mostOfAll, cut: false };
  return { value: cutWithin(value, budget), cut: budget.cut };
}

/** Returns a text with its end cut off when it is long. */
export function cutText(text: string, most = mostOfText): string {
  return text.length > most ? `${text.slice(0, most)}${ending}` : text;
}

interface Budget {
  left: number;
  cut: boolean;
}

function cutWithin(value: unknown, budget: Budget): unknown {
  if (typeof value === "string") return spend(value, budget);
  budget.left -= 8;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) if (hasRoom(budget)) items.push(cutWithin(item, budget));
    return items;
  }
  const fields: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(value))
    if (hasRoom(budget)) fields.push([spend(name, budget), cutWithin(inner, budget)]);
  return Object.fromEntries(fields);
}

function spend(text: string, budget: Budget): string {
  const shown = cutText(text);
  budget.left -= shown.length;
  if (shown !== text) budget.cut = true;
  return shown;
}

function hasRoom(budget: Budget): boolean {
  if (budget.left <= 0) budget.cut = true;
  return budget.left > 0;
}
