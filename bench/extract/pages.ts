/**
 * Pages with known main text: documentation of five languages (LibreOffice help, MPL-2.0, from Debian's `libreoffice-help-*` packages, unpacked
 * with `dpkg -x` into a folder), each in the chrome of a site (`sample-pages.ts`). The truth is the text of the help page's own content element.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { pageTemplates, wrapArticle } from "../../packages/perennial/src/corpus/extract/sample-pages.ts";

export interface TruePage {
  readonly template: string;
  readonly language: string;
  readonly html: string;
  /** Text of title and article, tags stripped, a line a block. */
  readonly truth: string;
}

const LANGUAGES = ["en-US", "fr", "de", "ja", "hi"];

export function truePages(help: string, perLanguage: number): TruePage[] {
  const templates = Object.keys(pageTemplates);
  return LANGUAGES.flatMap((language) => {
    const folder = join(help, language, "text");
    const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith(".html")).sort();
    const pages: TruePage[] = [];
    // A fixed stride through all applications; pages of little text (indexes, stubs) are passed over.
    for (let i = 0; pages.length < perLanguage && i < files.length; i += 7) {
      const content = contentOf(readFileSync(join(folder, files[i]!), "utf8"));
      if (!content || strip(content.html).length < 400) continue;
      const template = templates[pages.length % templates.length]!;
      pages.push({
        template,
        language,
        html: wrapArticle(template, { ...content, language, variant: i }),
        truth: [content.title, ...linesOf(content.html)].join("\n"),
      });
    }
    return pages;
  });
}

/**
 * As many different pages as asked for, of the same mix of languages, lengths and chrome however many they are: the first half of one help
 * page and the second half of another, so that no two pages share much more than a half.
 */
export function* mixedPages(help: string, count: number): Generator<string> {
  const templates = Object.keys(pageTemplates);
  const articles = LANGUAGES.map((language) => halves(join(help, language, "text")));
  for (let i = 0; i < count; i++) {
    const language = i % LANGUAGES.length;
    const among = articles[language]!;
    const turn = Math.floor(i / LANGUAGES.length);
    const first = among[turn % among.length]!;
    const second = among[(turn + 1 + Math.floor(turn / among.length)) % among.length]!;
    const template = templates[turn % templates.length]!;
    yield wrapArticle(template, { title: first.title, html: first.start + second.end, language: LANGUAGES[language]!, variant: i });
  }
}

interface Halves {
  readonly title: string;
  readonly start: string;
  readonly end: string;
}

/** In an order that has nothing to do with what the pages are about, so that the first few are like all. */
function halves(folder: string): Halves[] {
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith(".html"));
  const rank = new Map(files.map((file) => [file, createHash("sha1").update(file).digest("hex")]));
  files.sort((a, b) => (rank.get(a)! < rank.get(b)! ? -1 : 1));
  return files.flatMap((file) => {
    const content = contentOf(readFileSync(join(folder, file), "utf8"));
    if (!content || strip(content.html).length < 400) return [];
    let { body } = parseHTML(`<html><body>${content.html}</body></html>`).document;
    while (body.children.length === 1) body = body.children[0] as typeof body;
    const blocks = [...body.children].map((block) => block.outerHTML);
    const middle = blocks.length >> 1;
    return [{ title: content.title, start: blocks.slice(0, middle).join("\n"), end: blocks.slice(middle).join("\n") }];
  });
}

function contentOf(page: string): { title: string; html: string } | undefined {
  const from = page.indexOf('<div id="DisplayArea"');
  const to = page.search(/<(footer|div id="DonationFrame")|<\/body>/);
  if (from < 0 || to < from) return undefined;
  const html = page
    .slice(page.indexOf(">", from) + 1, to)
    .replace(/<(\w+)[^>]*hidden="true"[^>]*>[\s\S]*?<\/\1>/g, "")
    .replace(/<div class="relatedtopics">[\s\S]*$/, "")
    .replace(/<\/?(meta|input|label|nav|aside)\b[^>]*>/g, "")
    .replace(/ (row|col)span=""/g, ""); // trafilatura 1.11 and 2.0 give no text for a whole page because of one
  const title = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(html);
  return title ? { title: strip(title[1]!), html: html.replace(title[0], "") } : undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " ", "#39": "'" };
export const strip = (html: string): string => linesOf(html).join(" ");

/** The text of each block-level element, line by line. */
export const linesOf = (html: string): string[] =>
  html
    .replace(/<pre\b[\s\S]*?<\/pre>/gi, (code) => code.replaceAll("\n", "<br>"))
    .replace(/\s+/g, " ")
    .replace(/<\/?(address|article|blockquote|br|caption|d[dlt]|div|figure|h[1-6]|hr|li|main|ol|p|pre|section|table|tr|ul)\b[^>]*>/gi, "\n")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .split("\n")
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "");
