/**
 * Returns one line of a CSV file, quoted as in RFC 4180. A cell that a spreadsheet would take for a formula begins with an
 * apostrophe, which makes it a text.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quote(escapeFormula(cell))).join(",")}\n`;
}

function quote(cell: string): string {
  return /[",;\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/**
 * Matches where a formula may start: at the start of a cell, and after a semicolon, a tab or a line break inside it,
 * because some spreadsheets begin a new cell there.
 */
const formulaStart = /(^|[;\t\r\n])(?=[\s"]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])|^(?=[\t\r\n])/g;

function escapeFormula(cell: string): string {
  return cell.replaceAll(formulaStart, "$1'");
}
