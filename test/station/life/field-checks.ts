/** Compares an answer with a documented example: every field of the example, by its name and its type. */
export interface FieldCheck {
  /** As State.Running; of a list's entries `[]`. */
  path: string;
  /** Undefined: it is as documented. */
  fault: string | undefined;
}

export function checkFields(example: unknown, answer: unknown, path = ""): FieldCheck[] {
  const [wanted, found] = [typeOf(example), typeOf(answer)];
  // null says nothing of a type.
  if (wanted === "null") return [{ path, fault: answer === undefined ? "is missing" : undefined }];
  const fault = found === wanted ? undefined : `is ${found}, not ${wanted}`;
  const own = path === "" && fault === undefined ? [] : [{ path, fault }];
  if (fault !== undefined) return own;
  if (Array.isArray(example)) return [...own, ...checkEntries(example, answer as unknown[], path)];
  if (wanted !== "object") return own;
  return [...own, ...checkKeys(example as Record<string, unknown>, answer as Record<string, unknown>, path)];
}

/** Entries of both, as far as both have some. */
function checkEntries(example: unknown[], answer: unknown[], path: string): FieldCheck[] {
  return example.flatMap((entry, n) => (n < answer.length ? checkFields(entry, answer[n], `${path}[${n}]`) : []));
}

function checkKeys(example: Record<string, unknown>, answer: Record<string, unknown>, path: string): FieldCheck[] {
  return Object.entries(example).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return key in answer ? checkFields(value, answer[key], at) : [{ path: at, fault: "is missing" }];
  });
}

function typeOf(value: unknown): string {
  if (value === undefined) return "missing";
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
