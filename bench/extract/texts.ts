/**
 * Writes the main text of help pages as JSONL, the documents of the other corpus benchmarks.
 * Run: npx tsx bench/extract/texts.ts FOLDER LANGUAGE OUTPUT.jsonl [PAGES]    FOLDER: …/usr/share/libreoffice/help
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extractText } from "../../packages/perennial/src/corpus/extract/index.ts";

const [folder, language, output, pages = "1500"] = process.argv.slice(2) as [string, string, string, string?];
const root = join(folder, language, "text");
const files = (readdirSync(root, { recursive: true, encoding: "utf8" }) as string[]).filter((file) => file.endsWith(".html")).sort();
const lines: string[] = [];
for (const file of files) {
  const found = extractText(readFileSync(join(root, file)));
  if (typeof found !== "string" && lines.length < Number(pages)) lines.push(JSON.stringify({ id: file, text: found.text }));
}
writeFileSync(output, `${lines.join("\n")}\n`);
console.log(`${lines.length} documents, ${lines.reduce((sum, line) => sum + line.length, 0)} characters`);
