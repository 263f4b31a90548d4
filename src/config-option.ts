import type { Parse } from "./config-values.ts";

/** One thing that can be set; its key in `options` is the flag's name and the key in the config file. */
export interface Option<T> {
  /** Absent: the flag takes no value. */
  placeholder?: string;
  variable?: string;
  /** As given on the command line. */
  default?: string;
  /** In place of the default where that is no fixed text. */
  defaultText?: string;
  help: string;
  /** The flag can be repeated, the variable holds a comma-separated list, the config file an array. */
  list?: boolean;
  parse: Parse<T>;
  /** Where the variable holds something else than the flag. */
  parseVariable?: Parse<T>;
}
