/**
 * A reference corpus of a language (Wikipedia, or failing that any clean text; for repetition the crawl itself), reduced to what
 * thresholds are fitted from: every statistic of every document, and the counts of all words.
 */
import { type Document, languageLabel } from "../document.ts";
import { englishProfile, type Statistics, type StatisticsProfile, statistics } from "../filter/statistics.ts";
import { sorted } from "./moments.ts";
import { stopWords } from "./stop-words.ts";

export class Reference {
  readonly name: string;
  documents = 0;
  private readonly values = new Map<keyof Statistics, number[]>();
  private readonly counts = new Map<string, number>();
  private readonly profile: StatisticsProfile;

  constructor(name: string, profile: StatisticsProfile = englishProfile) {
    this.name = name;
    this.profile = profile;
  }

  add(document: Document): void {
    this.addStatistics(statistics(document, this.profile));
    for (const word of this.profile.words(document.text, languageLabel(document))) this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
  }

  /** From a stored record: thresholds can be fitted again without the text. */
  addStatistics(record: Statistics): void {
    this.documents++;
    for (const [name, value] of Object.entries(record) as [keyof Statistics, number][]) {
      const values = this.values.get(name);
      if (values === undefined) this.values.set(name, [value]);
      else values.push(value);
    }
  }

  /** Ascending values of a statistic, one a document. */
  ascending(statistic: keyof Statistics): Float64Array {
    return sorted(this.values.get(statistic) ?? []);
  }

  wordCounts(): ReadonlyMap<string, number> {
    return this.counts;
  }

  /** Its statistics and stop words: enough to fit thresholds from, later and elsewhere. */
  store(): StoredReference {
    return { name: this.name, documents: this.documents, values: Object.fromEntries(this.values), stopWords: stopWords(this.counts) };
  }

  static from({ name, documents, values }: StoredReference): Reference {
    const reference = new Reference(name);
    reference.documents = documents;
    for (const [statistic, list] of Object.entries(values)) reference.values.set(statistic as keyof Statistics, [...list]);
    return reference;
  }
}

export interface StoredReference {
  readonly name: string;
  readonly documents: number;
  /** By statistic, one value a document. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly stopWords: readonly string[];
}

export interface CleaningOptions {
  /** ISO 15924; articles with less than half of their letters in it are left out. */
  readonly script: string;
  /** Headings after which an article has only notes and references, e.g. "Notes et références". */
  readonly endHeadings: readonly string[];
  /** Probability that a text is English; articles above 0.7 are left out. Not for an English reference. */
  readonly englishScore?: (text: string) => number;
}

const MAX_ENGLISH_SCORE = 0.7;

/** An encyclopedia article fit for a reference corpus, or undefined. */
export function cleanArticle(text: string, { script, endHeadings, englishScore }: CleaningOptions): string | undefined {
  const headings = new Set(endHeadings.map((heading) => heading.toLowerCase()));
  const lines = text.split("\n");
  const end = lines.findIndex((line) => headings.has(line.replace(/^[\s=#]+|[\s=:]+$/g, "").toLowerCase()));
  const body = (end === -1 ? lines : lines.slice(0, end)).join("\n").trim();
  if (body === "" || shareInScript(body, script) < 0.5 || (englishScore?.(body) ?? 0) > MAX_ENGLISH_SCORE) return undefined;
  return body;
}

/** Scripts of ISO 15924 that are several scripts of Unicode. */
const COMPOSED: Readonly<Record<string, string>> = {
  Jpan: "\\p{Script=Hani}\\p{Script=Hira}\\p{Script=Kana}",
  Kore: "\\p{Script=Hang}\\p{Script=Hani}",
  Hans: "\\p{Script=Hani}",
  Hant: "\\p{Script=Hani}",
};

/** Share of the text's letters that belong to a script, 0–1; 0 when there is no letter. */
export function shareInScript(text: string, script: string): number {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const own = text.match(new RegExp(`(?=\\p{L})[${COMPOSED[script] ?? `\\p{Script=${script}}`}]`, "gu"))?.length ?? 0;
  return letters === 0 ? 0 : own / letters;
}
