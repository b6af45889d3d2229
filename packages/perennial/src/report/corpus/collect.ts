/** What a corpus report shows, from the folder of a finished run: counts of the manifest, and one pass over (a part of) the documents. */
import { existsSync } from "node:fs";
import { type Document, languageLabel } from "../../corpus/document.ts";
import { readJson } from "../../corpus/durable.ts";
import { readJsonLines } from "../../corpus/formats/index.ts";
import { type ScoreCounts, ScoreHistogram } from "../../corpus/language/index.ts";
import { type CorpusManifest, type DropLine, places, readChosen, readPlan } from "../../corpus/run/index.ts";
import { Sampler } from "../../corpus/run/sample.ts";
import type { LanguageThresholds } from "../../corpus/thresholds/index.ts";
import { FieldError } from "../../errors.ts";
import { Histogram } from "./histogram.ts";
import { TopCounts } from "./top-counts.ts";

export interface CorpusReportOptions {
  /** Documents looked at for histograms, domains and samples, of those kept and of those dropped; shards spread over the corpus. */
  readonly maxDocuments?: number;
  /** Samples shown of each language and of each reason. */
  readonly samples?: number;
  readonly onProgress?: (documents: number) => void;
}

export interface SampleText {
  readonly id: string;
  readonly url: string | undefined;
  readonly label: string;
  readonly text: string;
  /** What decided, of one that was dropped: the fields of its record. */
  readonly why?: Readonly<Record<string, unknown>>;
}

export interface CorpusReportData {
  readonly manifest: CorpusManifest;
  readonly thresholds: Readonly<Record<string, LanguageThresholds>>;
  /** By label, of all identified documents, kept or not; empty when languages came with the documents. */
  readonly languageScores: ReadonlyMap<string, Histogram>;
  /** log₁₀ of the characters of kept documents, by label. */
  readonly lengths: ReadonlyMap<string, Histogram>;
  /** Web Docs Score of kept documents, by label; empty where it was not computed. */
  readonly documentScores: ReadonlyMap<string, Histogram>;
  readonly clusterSizes: ReadonlyMap<string, number>;
  readonly domains: readonly { readonly host: string; readonly documents: number }[];
  readonly kept: ReadonlyMap<string, readonly SampleText[]>;
  /** By step and reason. */
  readonly dropped: ReadonlyMap<string, readonly SampleText[]>;
  readonly seen: { readonly shards: number; readonly ofShards: number; readonly documents: number };
}

const EXCERPT_CHARACTERS = 500;

export async function collectCorpus(folder: string, options: CorpusReportOptions = {}): Promise<CorpusReportData> {
  const { maxDocuments = 1_000_000, samples = 3, onProgress } = options;
  const manifest = readJson<CorpusManifest>(places.manifest(folder));
  if (manifest === undefined)
    throw new FieldError("CORPUS_MISSING", {
      at: folder,
      expected: "the folder of a finished corpus run, with a manifest.json",
      todo: "let `perennial corpus run` come to its end first",
    });
  const { shards } = readPlan(folder);
  const lengths = new Map<string, Histogram>();
  const documentScores = new Map<string, Histogram>();
  const clusterSizes = new Map<string, number>();
  const domains = new TopCounts();
  const kept = new Map<string, Sampler<SampleText>>();
  const dropped = new Map<string, Sampler<SampleText>>();
  let [documents, drops, shardsSeen] = [0, 0, 0];

  const take = (document: Document) => {
    const label = languageLabel(document);
    entry(lengths, label, () => new Histogram(1, 6, 50)).add(Math.log10(Math.max(1, document.text.length)));
    const score = (document.annotations.webDocsScore as { score?: number } | undefined)?.score;
    if (score !== undefined) entry(documentScores, label, () => new Histogram(0, 10, 50)).add(score);
    const size = sizeClass(document.clusterSize ?? 1);
    clusterSizes.set(size, (clusterSizes.get(size) ?? 0) + 1);
    domains.add(hostOf(document.url));
    entry(kept, label, () => new Sampler<SampleText>(samples)).add(document.id, () => sampleOf(document, document.text));
  };
  const takeDrop = ({ dropped: { step, ...why }, ...document }: DropLine) =>
    entry(
      dropped,
      `${step}: ${String(why.filter ?? "")}${why.filter === undefined ? "" : " · "}${why.reason}`,
      () => new Sampler<SampleText>(samples),
    ).add(document.id, () => ({ ...sampleOf(document, document.excerpt), why }));

  for (const shard of spread(shards.length)) {
    if (documents >= maxDocuments && drops >= maxDocuments) break;
    shardsSeen++;
    if (documents < maxDocuments)
      for (const label of Object.keys(manifest.languages))
        for await (const document of linesOf<Document>(places.documents(folder, label, shard))) {
          take(document);
          if (++documents % 10_000 === 0) onProgress?.(documents);
        }
    if (drops < maxDocuments)
      for (const phase of ["read", "write"] as const)
        for await (const line of linesOf<DropLine>(places.dropped(folder, phase, shard))) {
          takeDrop(line);
          drops++;
        }
  }
  return {
    manifest,
    thresholds: readChosen(folder).thresholds,
    languageScores: languageScores(folder, shards.length),
    ...{ lengths, documentScores, clusterSizes },
    domains: domains.top(20).map(([host, count]) => ({ host, documents: count })),
    kept: listed(kept),
    dropped: listed(dropped),
    seen: { shards: shardsSeen, ofShards: shards.length, documents },
  };
}

/** All numbers below n, early ones far apart from each other: the first k are spread over the whole. */
export function spread(n: number): number[] {
  let stride = Math.max(1, Math.round(n * 0.618));
  while (gcd(stride, n) !== 1) stride++;
  return Array.from({ length: n }, (_, i) => (i * stride) % n);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

async function* linesOf<T>(path: string): AsyncGenerator<T> {
  if (existsSync(path)) yield* readJsonLines<T>(path);
}

const sampleOf = (document: Omit<Document, "text">, text: string): SampleText => ({
  id: document.id,
  url: document.url,
  label: languageLabel(document),
  // Not inside of a surrogate pair.
  text: text.slice(0, text.codePointAt(EXCERPT_CHARACTERS - 1)! > 0xffff ? EXCERPT_CHARACTERS - 1 : EXCERPT_CHARACTERS),
});

const listed = (samplers: ReadonlyMap<string, Sampler<SampleText>>): Map<string, SampleText[]> =>
  new Map(
    [...samplers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, sampler]) => [key, sampler.toJSON().entries.map(([, sample]) => sample)]),
  );

function hostOf(url: string | undefined): string {
  if (url === undefined) return "(no address)";
  try {
    return new URL(url).hostname;
  } catch {
    return "(no valid address)";
  }
}

/** 1, 2, 3, 4, 5–9, 10–99, …: sizes of near-duplicate clusters have a long tail. */
function sizeClass(size: number): string {
  if (size < 5) return String(size);
  if (size < 10) return "5–9";
  const low = 10 ** Math.floor(Math.log10(size));
  return `${low}–${10 * low - 1}`;
}

function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

/** Of all documents that were identified: the marks of the shards have them counted. */
function languageScores(folder: string, shards: number): Map<string, Histogram> {
  const scores = new Map<string, Histogram>();
  for (let index = 0; index < shards; index++) {
    const mark = readJson<{ scores?: Record<string, ScoreCounts> }>(places.mark(folder, { phase: "read", index }));
    for (const [label, counts] of Object.entries(mark?.scores ?? {})) {
      const histogram = entry(scores, label, () => new Histogram(0, 1, 50));
      for (const [score, count] of ScoreHistogram.from(counts).entries()) histogram.add(score, count);
    }
  }
  return scores;
}
