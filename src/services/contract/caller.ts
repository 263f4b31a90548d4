/** What a request says of its sender. Nothing here is trusted. */
export interface Caller {
  /** A session's id as the client sent it. */
  sid: string | undefined;
  /** An API token, which comes in the Authorization header only and goes before a sid. */
  token?: string | undefined;
  /** The peer's address. */
  address: string;
}
