/** A file to be saved. */
export interface Download {
  /** Without a path; safe as it is. */
  name: string;
  /** Media type. */
  type: string;
  content: AsyncIterable<Uint8Array>;
}
