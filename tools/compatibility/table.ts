/** The generated part of docs/compatibility.md. */
import { fileURLToPath } from "node:url";
import { columnNames, type Row } from "./check.ts";

export const PAGE = fileURLToPath(new URL("../../docs/compatibility.md", import.meta.url));
const [BEGIN, END] = ["<!-- table: begin -->\n", "<!-- table: end -->\n"];

/** What stands is "yes"; what does not has a number, whose reason stands below. */
export function table(rows: readonly Row[]): string {
  const reasons: string[] = [];
  const noteOf = (reason: string) => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `no (${reasons.indexOf(reason) + 1})`;
  };
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const header = ["family", "model type", "rope scaling", "window", ...columnNames];
  const body = rows.map(({ fixture, modelType, rope, slidingWindow, verdicts }) => {
    const cells = columnNames.map((column) => (verdicts[column] === true ? "yes" : noteOf(verdicts[column])));
    return line([fixture, modelType, rope, slidingWindow === null ? "none" : String(slidingWindow), ...cells]);
  });
  const notes = reasons.map((reason, i) => `${i + 1}. ${reason}\n`).join("");
  return `${line(header)}${line(header.map(() => "---"))}${body.join("")}${notes && `\n${notes}`}`;
}

/** The table that a page holds. */
export function tableIn(page: string): string {
  return page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END));
}

export const withTable = (page: string, rows: readonly Row[]): string => page.replace(tableIn(page), () => table(rows));
