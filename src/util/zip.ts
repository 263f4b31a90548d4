import { ZipFile } from "yazl";

/** Makes a zip archive of texts by file name. Unpacked files have mode 0600. */
export function zipOf(files: Readonly<Record<string, string>>): AsyncIterable<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name, { mode: 0o100600 });
  zip.end();
  return zip.outputStream as unknown as AsyncIterable<Uint8Array>;
}
