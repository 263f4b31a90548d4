import os from "node:os";

/** Node's and the kernel's words -> Debian's, which QNAP's documents use. */
const words: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  ia32: "i386",
  i686: "i386",
  aarch64: "arm64",
  arm: "armhf",
  armv7l: "armhf",
};

/** Returns Debian's word for this host's architecture, as amd64. */
export function hostArchitecture(): string {
  return architectureName(os.arch());
}

/** Returns Debian's word for an architecture, as amd64; a word that is not known as it is. */
export function architectureName(word: string): string {
  return words[word] ?? word;
}
