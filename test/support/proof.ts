/** Proofs run in a small size with every `npm test` and in full by `npm run prove:*`. */
export function size(reduced: number, full: number): number {
  return process.env["GANTRY_PROOF"] === "full" ? full : reduced;
}

/** A sequence that is the same in every run with the same seed, so that a failure can be looked at again. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
