/** The station was started wrongly. The message is one sentence that says what to do; main prints it and exits 2. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigError";
  }
}
