/**
 * Lines that hold only given symbols (and spaces) are what is left of table borders. Each run of such lines becomes one line break, as
 * in the reference (datatrove's `SymbolLinesFormatter` as FineWeb2 uses it: `|`); other lines are joined by \n whatever ended them.
 */
import { brokenLines } from "../words/lines.ts";
import { isBlank } from "../words/whitespace.ts";

export function collapseSymbolLines(text: string, symbols = "|"): string {
  const removable = new Set([...symbols, " "]);
  const lines: string[] = [];
  let inRun = false;
  for (const line of brokenLines(text)) {
    const isSymbols = !isBlank(line) && [...line].every((character) => removable.has(character));
    if (!isSymbols) lines.push(line);
    else if (!inRun) lines.push("\n");
    inRun = isSymbols;
  }
  return lines.join("\n");
}
