/** A file to be saved. */
export interface Download {
  /** Without a path; safe as it is. */
  name: string;
  /** Media type. */
  type: string;
  /** The bytes, part by part. */
  content: AsyncIterable<Uint8Array>;
}
