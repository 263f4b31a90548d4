/** The asynchronous face of a set of verbs that a store's thread runs synchronously. */
export type Async<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
};
