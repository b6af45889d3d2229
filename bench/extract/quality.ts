/**
 * Question: how much of a page's text is found (recall of words), and how much else comes with it (precision), beside Mozilla Readability and
 * trafilatura's precision mode on the same pages, and how fast? Lines that a page repeats count once, in the truth and in every answer: ours
 * leaves them out on purpose, the others do not.
 * Run: npx tsx bench/extract/quality.ts FOLDER PAGES_PER_LANGUAGE [PYTHON]    PYTHON: one that has trafilatura; FOLDER: …/usr/share/libreoffice/help of the unpacked packages
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom";
import { extractText } from "../../packages/perennial/src/corpus/extract/extract.ts";
import { wordScores } from "../../packages/perennial/src/corpus/extract/word-scores.ts";
import { linesOf, type TruePage, truePages } from "./pages.ts";

const [folder = "/usr/share/libreoffice/help", perLanguage = "60", python] = process.argv.slice(2);
const pages = truePages(folder, Number(perLanguage));

type Answer = { texts: string[]; seconds: number };

const timed = (extract: (page: TruePage) => string) => (): Answer => {
  const started = performance.now();
  return { texts: pages.map(extract), seconds: (performance.now() - started) / 1000 };
};

const contenders: Record<string, () => Answer> = {
  perennial: timed(({ html }) => {
    const found = extractText(Buffer.from(html));
    return typeof found === "string" ? "" : found.text;
  }),
  readability: timed(({ html }) => {
    const { document } = parseHTML(html);
    const found = new Readability(document as unknown as ConstructorParameters<typeof Readability>[0]).parse();
    return found ? [found.title ?? "", ...linesOf(found.content ?? "")].join("\n") : "";
  }),
  ...(python === undefined
    ? {}
    : {
        trafilatura: () => {
          const input = pages.map(({ html }) => `${JSON.stringify(html)}\n`).join("");
          const script = join(import.meta.dirname, "peer.py");
          return JSON.parse(execFileSync(python, [script], { input, encoding: "utf8", maxBuffer: 1 << 30 })) as Answer;
        },
      }),
};

/** Repeated lines of 20 letters and digits or more go. */
function once(text: string): string {
  const seen = new Set<string>();
  return text
    .split("\n")
    .filter((line) => {
      const letters = line.replace(/[^\p{L}\p{N}]/gu, "");
      return letters.length < 20 || (!seen.has(letters) && seen.add(letters));
    })
    .join("\n");
}

const table: Record<string, Record<string, string | number>> = {};
for (const [name, answer] of Object.entries(contenders)) {
  const groups = new Map<string, ReturnType<typeof wordScores>[]>();
  const { texts, seconds } = answer();
  pages.forEach(({ template, language, truth }, i) => {
    const scores = wordScores(once(texts[i]!), once(truth));
    for (const group of ["all", language, template]) groups.set(group, [...(groups.get(group) ?? []), scores]);
  });
  for (const [group, scores] of groups) {
    const mean = (key: keyof (typeof scores)[number]) => (scores.reduce((sum, score) => sum + score[key], 0) / scores.length).toFixed(3);
    table[group] = { pages: scores.length, ...table[group], [name]: `${mean("precision")} ${mean("recall")} ${mean("f1")}` };
  }
  console.log(`${name}: ${pages.length} pages, ${(pages.length / seconds).toFixed(0)} pages/s`);
}
console.log("precision recall F1, means over pages");
console.table(table);
