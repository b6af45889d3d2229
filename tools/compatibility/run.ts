/** Writes the compatibility table: `npx tsx --conditions source tools/compatibility/run.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { checkAll } from "./check.ts";
import { PAGE, withTable } from "./table.ts";

const rows = await checkAll();
writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), rows));
const fallen = rows.flatMap(({ fixture, verdicts }) =>
  Object.entries(verdicts).flatMap(([column, verdict]) => (verdict === true ? [] : [`${fixture} ${column}: ${verdict}`])),
);
process.stdout.write(`${rows.length} fixtures\n${fallen.map((line) => `${line}\n`).join("")}`);
