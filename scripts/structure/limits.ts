/** How much there may be in one place. The linter (oxlint.config.ts) and `npm run structure` both hold these. */
export const limits = {
  /** Of `src`. */
  filesPerFolder: 20,
  linesPerFile: 260,
  linesPerTestFile: 300,
  /** Of `src`. */
  linesPerFunction: 80,
  /** Of everything else, where a function may be a whole suite. */
  linesPerTestFunction: 130,
};
