/**
 * Node's module `http`. An import statement would read all its exports, WebSocket among them, which loads an HTTP client
 * that the station does not use (undici): 4 MB.
 */
export const http = process.getBuiltinModule("node:http");
