/** As it stands in /proc/PID/mountinfo: the kernel writes a space as \040. */
export function decodeMountPoint(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
