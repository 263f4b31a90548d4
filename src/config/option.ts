import type { Parse } from "./values.ts";

/** An option. Its key in the table is the flag's name without `--` and the key in the config file. */
export interface Option<T> {
  /** Stands for the value in `--help`, such as `HOST:PORT`. Absent: the flag takes no value. */
  placeholder?: string;
  /** Environment variable that sets the option. Absent: only the flag does. */
  variable?: string;
  /** Default value, as it would be given on the command line. */
  default?: string;
  /** What `--help` prints as the default, if that is not `default`. */
  defaultText?: string;
  /** One line for `--help`. */
  help: string;
  /** True: the flag can be repeated, the variable holds a list with commas, and the config file an array. */
  list?: boolean;
  /** Parses the value of the flag, of the config file, and of the variable. */
  parse: Parse<T>;
  /** Parses the variable's value instead of `parse`, if the variable holds something else than the flag. */
  parseVariable?: Parse<T>;
}
