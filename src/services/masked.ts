const secretName = /PASS|TOKEN|SECRET|KEY|CREDENTIAL/i;
const mask = "********";

/** A task's request as it is shown, to anybody: values of environment variables and fields named like secrets are hidden. */
export function masked(params: unknown, key = ""): unknown {
  if (typeof params === "string") return key === "environment" ? maskedVariable(params) : params;
  if (Array.isArray(params)) return params.map((item) => masked(item, key));
  if (typeof params !== "object" || params === null) return params;
  const entries = Object.entries(params).map(([name, value]) => [
    name,
    /passw|secret|token/i.test(name) && typeof value === "string" && value !== "" ? mask : masked(value, name),
  ]);
  return Object.fromEntries(entries);
}

/** NAME=VALUE */
function maskedVariable(text: string): string {
  const cut = text.indexOf("=");
  return cut > 0 && secretName.test(text.slice(0, cut)) ? `${text.slice(0, cut + 1)}${mask}` : text;
}
