/**
 * The one record that every corpus step reads and writes: a text, where it came from, and what was found out about it.
 * Plain JSON, so a shard is one document a line. Steps never change a document in place; they return a copy.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Document {
  /** Unique in the corpus; stable when the same input is read again. */
  readonly id: string;
  /** The text itself, well-formed Unicode (no lone surrogates), lines separated by `\n`. */
  readonly text: string;
  readonly url?: string;
  /** ISO 639-3 code, e.g. `kab`. */
  readonly language?: string;
  /** Probability of that label, 0–1. */
  readonly languageScore?: number;
  /** ISO 15924 code, e.g. `Latn`. */
  readonly script?: string;
  /** Documents in this one's near-duplicate cluster, itself included: 1 for a singleton. Absent before deduplication. */
  readonly clusterSize?: number;
  readonly provenance: Provenance;
  /** What came with the record: HTTP headers, `html lang`, the other columns of a JSONL or Parquet file. */
  readonly metadata: { readonly [key: string]: Json };
  /** What our steps found out, under the name of the step: statistics, scores, labels of lines, spans. */
  readonly annotations: { readonly [step: string]: Json };
}

/** Where the bytes of a document are, so that it can be found again in its source. */
export interface Provenance {
  /** Path or URL of the file, as it was given. */
  readonly file: string;
  /** Bytes from the start of the file to the record (WARC: to its gzip member), or the row number where rows have no offset. */
  readonly offset?: number;
  /** Bytes that the record takes in the file. */
  readonly sizeBytes?: number;
  /** Name of the crawl or data set. */
  readonly crawl?: string;
  /** When the page was fetched, ISO 8601. */
  readonly date?: string;
  readonly contentType?: string;
  /** Encoding that the bytes were decoded from. */
  readonly encoding?: string;
  /** SPDX expression or URL of the licence, where the source states one. */
  readonly license?: string;
}

/** The label that language identification models use, e.g. `kab_Latn`; `und` and `Zyyy` stand for what is not known. */
export const languageLabel = ({ language = "und", script = "Zyyy" }: Pick<Document, "language" | "script">): string =>
  `${language}_${script}`;

/** A copy of the document with one more annotation. */
export const annotate = (document: Document, step: string, value: Json): Document => ({
  ...document,
  annotations: { ...document.annotations, [step]: value },
});
