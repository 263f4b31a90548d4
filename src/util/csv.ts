/**
 * One line of a CSV file as RFC 4180 quotes it, for spreadsheets: what one of them would take for a formula gets an
 * apostrophe before it, which makes it a text.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(harmless(cell))).join(",")}\n`;
}

function quoted(cell: string): string {
  return /[",;\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Where a spreadsheet's separator is the semicolon, or a line is taken for its end, a cell begins inside of ours. */
const begins = /(^|[;\t\r\n])(?=[\s"]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])|^(?=[\t\r\n])/g;

function harmless(cell: string): string {
  return cell.replaceAll(begins, "$1'");
}
