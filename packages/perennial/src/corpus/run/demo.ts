/**
 * A small crawl of real text whose truth is known, the pipeline over it, and how well each step did.
 *
 * The text is that of HTML documentation in several languages, a folder per language (`en`, `fr`, `pt-BR` …), as documentation packages
 * install it. Every other page is wrapped in the chrome of a site and becomes a page of the crawl; the others are the clean reference that
 * filter thresholds are fitted on. Planted: copies under other addresses with 2% of their words changed, pages of one phrase repeated, pages of
 * part numbers, pages of links only, and pages of a language that is not wanted.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Stream, stream } from "../../stream.ts";
import { type Document, languageLabel } from "../document.ts";
import { extractText, pageTemplates, wordScores, wrapArticle } from "../extract/index.ts";
import { readDocuments } from "../formats/index.ts";
import { dominantScript, languageCode } from "../language/index.ts";
import { fitThresholds, type LanguageThresholds, Reference } from "../thresholds/index.ts";
import { warcResponse } from "../warc/index.ts";
import type { CorpusManifest } from "./manifest.ts";
import { places } from "./plan.ts";
import { runCorpus } from "./run.ts";

export interface DemoOptions {
  /** Folder with a folder of HTML pages per language; English must be one of them. */
  readonly pages: string;
  /** Path of a fastText language identification model. */
  readonly model: string;
  readonly languages: readonly string[];
  /** Folder of the language that is not wanted. */
  readonly foreign: string;
  readonly articlesPerLanguage?: number;
  readonly workers?: number;
  readonly seed?: number;
}

export interface StepQuality {
  readonly step: string;
  /** What precision and recall are of. */
  readonly of: string;
  readonly documents: number;
  readonly precision: number;
  readonly recall: number;
}

type Kind = "article" | "copy" | "repetition" | "parts" | "links" | "foreign";

interface Truth {
  readonly url: string;
  readonly kind: Kind;
  readonly label: string;
  /** Number of the article; its copies share it. */
  readonly article: number;
  readonly lines: readonly string[];
}

const SHARDS = 4;
const MIN_CHARACTERS = 600;

export async function corpusDemo(folder: string, options: DemoOptions): Promise<{ manifest: CorpusManifest; quality: StepQuality[] }> {
  const { pages, model, languages, foreign, articlesPerLanguage = 100, workers = 2, seed = 1 } = options;
  const random = stream(seed, "corpus-demo");
  const seen = new Set<string>();
  const labels = new Map([...languages, foreign].map((language) => [language, labelOf(language)]));
  const texts = new Map(
    [...labels].map(([language, label]) => [
      language,
      articlesOf(join(pages, language), label.split("_")[1]!, 2 * articlesPerLanguage, seen, random),
    ]),
  );
  const truths = plant(texts, labels, foreign, articlesPerLanguage, random);
  writeCrawl(join(folder, "crawl"), truths);
  const wanted = languages.map((language) => labels.get(language)!);
  const manifest = await runCorpus(
    join(folder, "corpus"),
    {
      name: "demo",
      inputs: [join(folder, "crawl")],
      identify: { model },
      languages: { keep: wanted },
      thresholds: { given: fitAll(languages, texts, labels, articlesPerLanguage) },
      extract: { maxSeconds: 30 },
      checkpointItems: 200,
    },
    { workers },
  );
  return { manifest, quality: await measure(join(folder, "corpus"), truths) };
}

/**
 * The texts of a folder, in an order that mixes its parts. What shares more than a third of its lines with what is there already, in any
 * language, is passed over: translations that were never made, and pages that are near copies by themselves.
 */
function articlesOf(folder: string, script: string, count: number, seen: Set<string>, random: Stream): string[][] {
  const files = (readdirSync(folder, { recursive: true, encoding: "utf8" }) as string[]).filter((file) => /\.html?$/.test(file)).sort();
  const articles: string[][] = [];
  for (const file of random.shuffle(files)) {
    if (articles.length === count) break;
    const found = extractText(readFileSync(join(folder, file)));
    if (typeof found === "string" || found.text.length < MIN_CHARACTERS || dominantScript(found.text) !== script) continue;
    const lines = found.text.split("\n");
    const known = lines.filter((line) => seen.has(line)).length;
    if (known <= lines.length / 3) articles.push(lines);
    for (const line of lines) seen.add(line);
  }
  return articles;
}

/** The label that a folder's name stands for: its language, in the script that this language is written in; Han as single characters show it. */
function labelOf(folder: string): string {
  const { language, script = "Latn" } = new Intl.Locale(folder).maximize();
  return `${languageCode(language)}_${{ Hans: "Hani", Hant: "Hani", Kore: "Hang" }[script] ?? script}`;
}

/** Even pages are the crawl, odd ones the reference. */
const crawled = (articles: readonly string[][], count: number) => articles.filter((_, i) => i % 2 === 0).slice(0, count);
const reference = (articles: readonly string[][], count: number) => articles.filter((_, i) => i % 2 === 1).slice(0, count);

function plant(
  texts: ReadonlyMap<string, string[][]>,
  labels: ReadonlyMap<string, string>,
  foreign: string,
  count: number,
  random: Stream,
): Truth[] {
  const truths: Truth[] = [];
  let article = 0;
  for (const [language, articles] of texts) {
    const label = labels.get(language)!;
    const add = (kind: Kind, lines: readonly string[]) => {
      const number = truths.length;
      truths.push({ url: `https://site${number % 9}.example.org/${language}/${number}`, kind, label, article, lines });
    };
    for (const lines of crawled(articles, count)) {
      article++;
      add(language === foreign ? "foreign" : "article", lines);
      if (language === foreign) continue;
      while (random.uniform() < 0.25)
        add(
          "copy",
          lines.map((line) => changeWords(line, 0.02, random)),
        );
      const chance = random.uniform();
      if (chance < 0.08) add("repetition", [lines[0]!, `${lines.find((line) => line.length > 40) ?? lines[0]!} `.repeat(25)]);
      else if (chance < 0.16)
        add(
          "parts",
          Array.from(
            { length: 60 },
            () => `XK-${random.integer(10_000)} ${random.integer(99)}V/${random.integer(99)}A #${random.integer(1_000_000)}`,
          ),
        );
      else if (chance < 0.22) add("links", []);
    }
  }
  return random.shuffle(truths);
}

function changeWords(line: string, share: number, random: Stream): string {
  return line
    .split(" ")
    .map((word) => (random.uniform() < share ? `${word.slice(0, 1)}${word}` : word))
    .join(" ");
}

const escapeHtml = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function writeCrawl(folder: string, truths: readonly Truth[]): void {
  mkdirSync(folder, { recursive: true });
  const templates = Object.keys(pageTemplates);
  const shards: Uint8Array[][] = Array.from({ length: SHARDS }, () => []);
  for (const [i, { url, kind, lines, label }] of truths.entries()) {
    const [title = "", ...rest] = lines;
    const html =
      kind === "links"
        ? '<p><a href="a">A</a> <a href="b">B</a> <a href="c">C</a></p>'
        : rest.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n");
    const language = url.split("/")[3] ?? label;
    const page = wrapArticle(templates[i % templates.length]!, { title: escapeHtml(title), html, language, variant: i });
    shards[i % SHARDS]!.push(warcResponse({ url, html: page, date: "2026-11-01T00:00:00Z" }));
  }
  for (const [i, members] of shards.entries()) writeFileSync(join(folder, `${i}.warc.gz`), Buffer.concat(members));
}

function fitAll(
  languages: readonly string[],
  texts: ReadonlyMap<string, string[][]>,
  labels: ReadonlyMap<string, string>,
  count: number,
): LanguageThresholds[] {
  const references = new Map(
    languages.map((language) => {
      const kept = new Reference(`held-out documentation, ${language}`);
      const [code, script] = labels.get(language)!.split("_") as [string, string];
      for (const lines of reference(texts.get(language)!, count))
        kept.add({ id: "", text: lines.join("\n"), language: code, script, provenance: { file: "" }, metadata: {}, annotations: {} });
      return [language, kept];
    }),
  );
  const english = references.get(languages.find((language) => language.startsWith("en"))!)!;
  return languages.map((language) => {
    const both = { english, language: references.get(language)! };
    return fitThresholds({ language: labels.get(language)!, clean: both, crawl: both });
  });
}

const ratio = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);

async function measure(folder: string, truths: readonly Truth[]): Promise<StepQuality[]> {
  const byUrl = new Map(truths.map((truth) => [truth.url, truth]));
  const shards = Array.from({ length: SHARDS }, (_, i) => i);
  const read: Document[] = [];
  for await (const document of readDocuments(shards.map((i) => places.read(folder, i)))) read.push(document);
  const dropped = new Map<string, string>();
  for await (const { url, metadata } of readDocuments(
    shards.map((i) => places.dropped(folder, "write", i)),
    { textField: "excerpt" },
  ))
    dropped.set(url!, String((metadata.dropped as { step?: string } | undefined)?.step));

  const real = read.filter(({ url }) => ["article", "copy", "foreign"].includes(byUrl.get(url!)!.kind));
  const scores = real.map(({ url, text }) => wordScores(text, byUrl.get(url!)!.lines.join("\n")));
  const mean = (key: "precision" | "recall") =>
    ratio(
      scores.reduce((sum, score) => sum + score[key], 0),
      scores.length,
    );
  const identified = real.filter((document) => languageLabel(document) === byUrl.get(document.url!)!.label).length;

  const at = (step: string) => read.filter(({ url }) => dropped.get(url!) === step).map(({ url }) => byUrl.get(url!)!);
  const of = (kinds: readonly Kind[], among: readonly Document[]) =>
    among.filter(({ url }) => kinds.includes(byUrl.get(url!)!.kind)).length;
  const language = at("language");
  const compared = read.filter(({ url }) => dropped.get(url!) !== "language");
  const duplicates = at("deduplicate");
  const groups = groupBy(
    compared.map(({ url }) => byUrl.get(url!)!).filter(({ kind }) => kind === "article" || kind === "copy"),
    ({ article }) => article,
  );
  const surplus = [...groups.values()].reduce((sum, group) => sum + group.length - 1, 0);
  const found = [...groups.values()].reduce(
    (sum, group) => sum + Math.min(group.length - 1, group.filter((truth) => duplicates.includes(truth)).length),
    0,
  );
  const judged = compared.filter(({ url }) => dropped.get(url!) !== "deduplicate");
  const filtered = at("filter");
  const junk = filtered.filter(({ kind }) => kind === "repetition" || kind === "parts").length;
  return [
    { step: "extract", of: "words of the article", documents: real.length, precision: mean("precision"), recall: mean("recall") },
    {
      step: "identify",
      of: "labels",
      documents: real.length,
      precision: ratio(identified, real.length),
      recall: ratio(identified, real.length),
    },
    {
      step: "language",
      of: "pages in an unwanted language",
      documents: read.length,
      precision: ratio(language.filter(({ kind }) => kind === "foreign").length, language.length),
      recall: ratio(language.filter(({ kind }) => kind === "foreign").length, of(["foreign"], read)),
    },
    {
      step: "deduplicate",
      of: "copies",
      documents: compared.length,
      precision: ratio(found, duplicates.length),
      recall: ratio(found, surplus),
    },
    {
      step: "filter",
      of: "planted junk",
      documents: judged.length,
      precision: ratio(junk, filtered.length),
      recall: ratio(junk, of(["repetition", "parts"], judged)),
    },
  ];
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
