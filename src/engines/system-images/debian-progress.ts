/** mmdebstrap's stages, with the part of the time that each takes and how many lines it says per package. */
const stages: readonly { begins: string; share: number; lines: number }[] = [
  { begins: "I: running apt-get update", share: 6, lines: 0 },
  { begins: "I: downloading packages", share: 8, lines: 1 },
  { begins: "I: extracting archives", share: 6, lines: 0 },
  { begins: "I: installing essential packages", share: 32, lines: 2 },
  { begins: "I: installing remaining packages", share: 38, lines: 3 },
  { begins: "I: cleaning package lists", share: 2, lines: 0 },
  { begins: "I: creating tarball", share: 8, lines: 0 },
];

/** Returns what makes of mmdebstrap's lines a percentage, which never goes back and stays below 100. */
export function createBuildMeter(report: (percent: number) => void): (line: string) => void {
  let stage = -1;
  let before = 0;
  let packages = 0;
  let said = 0;
  let shown = -1;

  return (line) => {
    const next = stages.findIndex(({ begins }) => line.startsWith(begins));
    if (next > stage) {
      before = stages.slice(0, next).reduce((sum, { share }) => sum + share, 0);
      stage = next;
      said = 0;
    }
    packages = Number(/(\d+) newly installed/.exec(line)?.[1] ?? packages);
    if (/^(?:Get:\d|Unpacking |Setting up )/.test(line)) said++;
    const { share = 0, lines = 0 } = stages[stage] ?? {};
    const expected = Math.max(1, packages * lines);
    const within = lines === 0 ? 0 : Math.min(1, said / expected);
    const percent = Math.min(99, Math.floor(before + share * within));
    if (percent <= shown) return;
    shown = percent;
    report(percent);
  };
}
