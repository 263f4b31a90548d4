/** Longer ones are cut: a registry chooses its own words. */
const longest = 300;

/** Docker's sentences that hold what a server answered, and what is told in their place. */
const answers: readonly [pattern: RegExp, told: string][] = [
  [/error parsing HTTP (\d{3}) response body: .*/s, "it answered with HTTP $1"],
  [/received unexpected HTTP status: (\d{3}).*/s, "it answered with HTTP $1"],
  [/unexpected status(?: code)?(?: from \S+ request to \S+)?:? (\d{3}).*/s, "it answered with HTTP $1"],
  [
    /(?:net\/http: )?(?:HTTP\/1\.x transport connection broken|malformed (?:HTTP|MIME)|http: server gave HTTP response|tls: first record|invalid character|unexpected end of JSON|json: cannot|mediaType in manifest|unsupported manifest).*/s,
    "its answer is none of a registry's",
  ],
  [/(?:tls|x509): .*/s, "its certificate cannot be trusted"],
  [/(?:unexpected EOF|\bEOF)$/, "the download was cut off"],
];

/** A code of the registry's protocol with the `message` that the registry gives. */
const coded =
  /(?:^|[:\s])(?:unauthorized|denied|toomanyrequests|too many requests|unknown|unsupported|unavailable|(?:manifest|name|blob|tag|digest|size)(?: upload)? (?:unknown|invalid|unverified)): .*/s;

/**
 * Returns what is told of a registry's failure: Docker's own words, the status, and the registry's `errors[].message`. The
 * body of an answer is left out, and every text in quotes, which is how Docker says what it could not read.
 */
export function registryReason(reason: string): string {
  const [pattern, told] = answers.find(([known]) => known.test(reason)) ?? [];
  const at = coded.exec(reason)?.index ?? reason.length;
  const withoutBody = (text: string): string =>
    text.replaceAll(/\b(?:Get|Head|Post) "[^"]*": /g, "").replaceAll(/"(?:[^"\\]|\\.)*"?/g, '"..."');
  const line = pattern && told !== undefined ? reason.replace(pattern, told) : reason;
  const kept = pattern ? withoutBody(line) : withoutBody(line.slice(0, at)) + line.slice(at);
  const text = kept.replaceAll(/[\p{C}\s]+/gu, " ").trim();
  // Nothing that is one word is cut: half of a secret could no longer be recognised as one.
  return text.length > longest ? `${text.slice(0, longest).replace(/\S*$/, "")}...` : text;
}
