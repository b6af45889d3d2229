/** The text of the demo from what a clone of the repository has: help pages for the wanted languages, messages of a compiler for the others. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readDocuments } from "../formats/index.ts";
import { dominantScript, languageCode } from "../language/index.ts";
import type { Article } from "./demo-crawl.ts";

const MIN_CHARACTERS = 600;
const MIN_PROSE = 0.7;

/** Share of the text that stands in lines that end like a sentence: what is below has mostly lists and code. */
function proseShare(lines: readonly string[]): number {
  const length = (some: readonly string[]) => some.reduce((sum, line) => sum + line.length, 0);
  return length(lines.filter((line) => /[.!?]["”»)]?$/.test(line))) / length(lines);
}

/**
 * The articles of a JSONL file that are running text, without those that share more than a third of their lines with earlier ones: near copies
 * by themselves.
 */
export async function articlesOf(path: string, count: number): Promise<Article[]> {
  const articles: Article[] = [];
  const seen = new Set<string>();
  for await (const { text } of readDocuments([path])) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const known = lines.filter((line) => seen.has(line)).length;
    if (text.length >= MIN_CHARACTERS && known <= lines.length / 3 && proseShare(lines) >= MIN_PROSE) articles.push(lines);
    for (const line of lines) seen.add(line);
    if (articles.length === count) break;
  }
  return articles;
}

const MESSAGES = "diagnosticMessages.generated.json";
const LINES = 24;

/** Pages of the TypeScript compiler's messages, by language label; `folder` is its `lib`. */
export function messagesOf(folder: string, pages: number): Record<string, Article[]> {
  const languages = readdirSync(folder).filter((name) => existsSync(join(folder, name, MESSAGES)));
  return Object.fromEntries(
    languages.sort().map((name) => {
      const messages = Object.values(JSON.parse(readFileSync(join(folder, name, MESSAGES), "utf8")) as Record<string, string>);
      const long = messages.filter((message) => message.length >= 40);
      const articles = Array.from({ length: pages }, (_, page) => long.slice(page * LINES, (page + 1) * LINES));
      return [`${languageCode(new Intl.Locale(name).language)}_${dominantScript(long.join("\n"))}`, articles];
    }),
  );
}
