/**
 * Question: how much of a page's text is found, and how much else comes with it, beside Mozilla Readability on the same pages?
 * Run: npx tsx bench/extract/quality.ts FOLDER [PAGES_PER_LANGUAGE]    FOLDER: …/usr/share/libreoffice/help of the unpacked packages
 */
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom";
import { extractText } from "../../packages/perennial/src/corpus/extract/extract.ts";
import { wordScores } from "../../packages/perennial/src/corpus/extract/word-scores.ts";
import { strip, type TruePage, truePages } from "./pages.ts";

const [folder = "/usr/share/libreoffice/help", perLanguage = "60"] = process.argv.slice(2);
const pages = truePages(folder, Number(perLanguage));

const contenders: Record<string, (page: TruePage) => string> = {
  perennial: ({ html }) => {
    const found = extractText(Buffer.from(html));
    return typeof found === "string" ? "" : found.text;
  },
  readability: ({ html }) => {
    const { document } = parseHTML(html);
    const found = new Readability(document as unknown as ConstructorParameters<typeof Readability>[0]).parse();
    return found ? `${found.title ?? ""}\n${strip(found.content ?? "")}` : "";
  },
};

const table: Record<string, Record<string, number>> = {};
for (const [name, extract] of Object.entries(contenders)) {
  const groups = new Map<string, ReturnType<typeof wordScores>[]>();
  const started = performance.now();
  const texts = pages.map(extract);
  const seconds = (performance.now() - started) / 1000;
  pages.forEach(({ template, language, truth }, i) => {
    const scores = wordScores(texts[i]!, truth);
    for (const group of ["all", template, language]) groups.set(group, [...(groups.get(group) ?? []), scores]);
  });
  for (const [group, scores] of groups) {
    const mean = (key: keyof (typeof scores)[number]) => scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
    const row = table[group] ?? {};
    table[group] = row;
    for (const key of ["precision", "recall", "f1"] as const) row[`${name} ${key}`] = Number(mean(key).toFixed(3));
  }
  console.log(`${name}: ${pages.length} pages, ${(pages.length / seconds).toFixed(0)} pages/s`);
}
console.table(table);
