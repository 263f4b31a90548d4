/** Prints each figure beside the bar that was set for it. */
export interface Report {
  line(what: string, value: number, unit: string, bar?: { atLeast: number } | { atMost: number }): void;
  /** How many figures missed their bar. */
  missed(): number;
}

export function createReport(): Report {
  let missed = 0;
  return {
    line(what, value, unit, bar) {
      const shown = `${value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2)} ${unit}`.trim();
      console.log(`${what.padEnd(52)} ${shown.padStart(20)}${bar ? verdict(value, bar) : ""}`);
    },
    missed: () => missed,
  };

  function verdict(value: number, bar: { atLeast: number } | { atMost: number }): string {
    const met = "atLeast" in bar ? value >= bar.atLeast : value <= bar.atMost;
    if (!met) missed++;
    const text = "atLeast" in bar ? `at least ${bar.atLeast}` : `at most ${Number(bar.atMost.toFixed(2))}`;
    return `   ${met ? "met   " : "MISSED"} (${text})`;
  }
}
