const secretName = /PASS|TOKEN|SECRET|KEY|CREDENTIAL/i;
const mask = "********";
/** In the name of every field that is hidden, or has something to hide. */
const telling = /passw|secret|token|environment/i;

/**
 * A task's request as it is shown, to anybody: values of environment variables and fields named like secrets are hidden.
 * `value` is what the text says. Nothing is looked through when nothing in the text could be hidden.
 */
export function maskedJson(json: string, value: unknown = JSON.parse(json)): unknown {
  return telling.test(json) ? masked(value) : value;
}

function masked(params: unknown, key = ""): unknown {
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
