import { findPackageJSON } from "node:module";
import { dirname } from "node:path";

/** The folder of this installation, which has package.json. It is found from the bundle as from the source. */
export const installation = dirname(findPackageJSON(import.meta.url) ?? "");
