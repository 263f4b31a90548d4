import { defineConfig } from "oxlint";
import { limits } from "./scripts/structure/limits.ts";
import { layerOverrides } from "./scripts/structure/lint-layers.ts";

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  options: { typeAware: true },
  rules: {
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "import/extensions": ["error", "always", { ignorePackages: true }],
    "node/no-process-env": "error",
    "max-lines": ["error", { max: limits.linesPerFile }],
    "max-params": ["error", { max: 4 }],

    // `npm run structure` has a lower limit for functions of src.
    "max-lines-per-function": ["error", { max: limits.linesPerTestFunction }],

    // What comes out of JSON, SQLite and streams is asserted where it enters.
    "typescript/no-unsafe-type-assertion": "off",
    // Order matters in most of our loops.
    "no-await-in-loop": "off",
    // Factories return plain objects: their methods use no `this`.
    "typescript/unbound-method": "off",
    "unicorn/consistent-function-scoping": "off",
    // For windows, not for workers.
    "unicorn/require-post-message-target-origin": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/prefer-set-has": "off",
    "promise/always-return": "off",
    "promise/no-promise-in-callback": "off",
    "no-unmodified-loop-condition": "off",
    "no-shadow": "off",
    "no-underscore-dangle": "off",
  },
  overrides: [
    {
      files: ["src/main.ts", "src/setup/cli.ts", "test/**", "bench/**", "scripts/**"],
      rules: { "node/no-process-env": "off" },
    },
    {
      files: ["test/**"],
      rules: {
        "max-lines": ["error", { max: limits.linesPerTestFile }],
        // node:test waits for its tests itself.
        "typescript/no-floating-promises": [
          "error",
          {
            allowForKnownSafeCalls: [
              { from: "package", name: ["test", "it", "describe", "suite"], package: "node:test" },
            ],
          },
        ],
      },
    },

    // A folder imports downward only. scripts/prove-check.ts has what these rules must report.
    ...layerOverrides(),
  ],
});
