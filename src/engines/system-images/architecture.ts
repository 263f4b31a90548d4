/** This machine's architecture in the words of image servers (and Debian), and of LXC and LXD. */
const words: Readonly<Record<string, { product: string; machine: string }>> = {
  x64: { product: "amd64", machine: "x86_64" },
  arm64: { product: "arm64", machine: "aarch64" },
  arm: { product: "armhf", machine: "armv7l" },
  ppc64: { product: "ppc64el", machine: "ppc64le" },
  riscv64: { product: "riscv64", machine: "riscv64" },
  s390x: { product: "s390x", machine: "s390x" },
};

/** This host's architecture: `product` as image servers name it (amd64), `machine` as the kernel does (x86_64). */
export const architecture = words[process.arch] ?? { product: process.arch, machine: process.arch };
