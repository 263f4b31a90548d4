/** Decodes a path of `/proc/PID/mountinfo`, in which the kernel writes a space as `\040`, for example. */
export function decodeMountPoint(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
