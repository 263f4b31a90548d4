/** Says that a setting is wrong. The message is one sentence with advice; main prints it and exits with 2. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigError";
  }
}
