// Makes the data of examples/tasks from the pages of the quickstart that training never sees.
//   npx tsx tools/example-tasks.ts
// The text is under the Mozilla Public License 2.0; see examples/tasks/NOTICE.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

interface Page {
  readonly id: string;
  readonly text: string;
}

/** Of the recipes in examples/quickstart: a page is held out by the hash of its text. */
const HELD_OUT_SHARE = 0.05;
const ITEMS = 60;

const read = (language: string): Page[] =>
  gunzipSync(readFileSync(new URL(`../examples/quickstart/${language}.jsonl.gz`, import.meta.url)))
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Page);
const hash = (text: string) => createHash("sha256").update(text).digest().readUIntBE(0, 6);
const heldOut = ({ text }: Page) => hash(text) < HELD_OUT_SHARE * 2 ** 48;
const byHash = (a: string, b: string) => hash(a) - hash(b);
const sentence = (line: string) => line.length >= 40 && line.length <= 200 && /^\p{Lu}.*\p{L}\.$/u.test(line) && !line.includes("  ");

const folder = new URL("../examples/tasks/data/", import.meta.url);
mkdirSync(folder, { recursive: true });
const write = (name: string, rows: readonly object[]) =>
  writeFileSync(new URL(`${name}.jsonl`, folder), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

const pages = { en: read("english"), eu: read("basque") };
for (const [language, all] of Object.entries(pages)) {
  const kept = all.filter(heldOut);
  const lines = kept.flatMap(({ id, text }) => text.split("\n").map((line, i, page) => ({ id, line, next: page[i + 1] ?? "" })));
  const sentences = [...new Set(lines.map(({ line }) => line).filter(sentence))];

  // Which sentence comes next? The others are of other pages and of about the same length.
  const seen = new Set<string>();
  const pairs = lines.filter(({ line, next }) => sentence(line) && sentence(next) && !seen.has(line) && seen.add(line));
  const next = pairs.map(({ id, line, next: right }) => {
    const page = kept.find((candidate) => candidate.id === id)!.text;
    const near = (a: string, b: string) => Math.abs(a.length - right.length) - Math.abs(b.length - right.length) || byHash(a, b);
    const wrong = sentences
      .filter((other) => !page.includes(other))
      .sort(near)
      .slice(0, 3);
    const choices = [right, ...wrong].sort((a, b) => byHash(a + line, b + line));
    return { id, sentence: line, choices, label: choices.indexOf(right) };
  });
  write(`next-${language}`, next.sort((a, b) => byHash(a.sentence, b.sentence)).slice(0, ITEMS));

  // What is the last word of a sentence?
  const cloze = sentences.filter((line) => line.split(" ").length >= 8).sort(byHash);
  write(
    `cloze-${language}`,
    cloze.slice(0, ITEMS).map((line) => ({ context: line.replace(/ [^ ]+$/, ""), word: line.split(" ").at(-1)!.slice(0, -1) })),
  );

  write(
    `pages-${language}`,
    kept
      .sort((a, b) => byHash(a.text, b.text))
      .slice(0, 12)
      .map(({ id, text }) => ({ id, text })),
  );
}

// The title of a page in both languages: examples from pages that may be trained on, questions from the others.
const english = new Map(pages.en.map(({ id, text }) => [id, text.split("\n")[0]!]));
const titles = pages.eu
  .map((page) => ({ page, english: english.get(page.id), basque: page.text.split("\n")[0]! }))
  .filter(({ english, basque }) => english !== undefined && english !== basque && basque.length >= 8 && basque.length < 60);
const unique = titles.filter(({ english }, i) => titles.findIndex((other) => other.english === english) === i);
const pair = ({ english, basque }: { english: string | undefined; basque: string }) => ({ english, basque });
write(
  "titles-examples",
  unique
    .filter(({ page }) => !heldOut(page))
    .sort((a, b) => byHash(a.basque, b.basque))
    .slice(0, 30)
    .map(pair),
);
write(
  "titles",
  unique
    .filter(({ page }) => heldOut(page))
    .sort((a, b) => byHash(a.basque, b.basque))
    .slice(0, 30)
    .map(pair),
);
