/** The asynchronous interface to verbs that the store's thread runs synchronously. */
export type Async<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
};
