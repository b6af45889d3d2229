/**
 * What a deduplication run will need, before it is started. Disk and memory follow from the file layout (workspace.ts); time from a
 * measurement on documents of the corpus itself.
 *
 *   record bytes   R = 24 (128-bit key and document number), b bands, n documents, e documents of earlier corpora
 *   signatures     n·b·R          buckets   (n + e)·b·R          pairs   16 bytes each, at most (n + e)·b, here by the expected share
 *   clusters       4 sorts of 16- or 24-byte records of the pairs' documents
 *   time           n / (rate · workers) for stage 1; the sorting stages read and write their bytes at `diskBytesPerSecond`
 */
import { performance } from "node:perf_hooks";
import type { TextOfScript } from "./minhash.ts";
import { type DuplicateSettings, sketcher } from "./sketch.ts";
import { DEFAULT_MEMORY_BYTES } from "./stages.ts";
import { KEY_WORDS } from "./workspace.ts";

export interface ForecastInput {
  readonly settings: DuplicateSettings;
  readonly numDocuments: number;
  readonly numEarlierDocuments?: number;
  readonly workers?: number;
  readonly memoryBytes?: number;
  /** Documents per second and worker; measure it with `measureSketchRate`. */
  readonly documentsPerSecond: number;
  /** Share of documents that have a duplicate; web crawls: about half. */
  readonly duplicateShare?: number;
  readonly diskBytesPerSecond?: number;
}

export interface Forecast {
  readonly signatureBytes: number;
  readonly bucketBytes: number;
  readonly clusterBytes: number;
  /** All of it at once: nothing is removed before the end. */
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly seconds: { readonly signatures: number; readonly buckets: number; readonly clusters: number; readonly total: number };
}

/** What a worker thread of Node.js with this library takes before it holds any data, rounded up. */
const WORKER_BYTES = 96 * 2 ** 20;
const RECORD_BYTES = KEY_WORDS * 8;
/** Star contraction rounds seen on crawls with long chains; most corpora need 2. */
const CLUSTER_ROUNDS = 4;

export function forecastDeduplication(input: ForecastInput): Forecast {
  const { settings, numDocuments, numEarlierDocuments = 0, workers = 1, documentsPerSecond } = input;
  const { memoryBytes = DEFAULT_MEMORY_BYTES, duplicateShare = 0.5, diskBytesPerSecond = 100e6 } = input;
  const numBands = settings.method === "exact" ? 1 : settings.numBands;
  const all = numDocuments + numEarlierDocuments;
  const signatureBytes = numDocuments * numBands * RECORD_BYTES;
  const bucketBytes = all * numBands * (RECORD_BYTES + 16 * duplicateShare);
  const clusterBytes = all * duplicateShare * (2 * numBands * 16 + 2 * 16 + 24);
  const seconds = {
    signatures: numDocuments / (documentsPerSecond * workers) + signatureBytes / diskBytesPerSecond,
    buckets: (signatureBytes + numEarlierDocuments * numBands * RECORD_BYTES + bucketBytes) / diskBytesPerSecond,
    clusters: (2 * CLUSTER_ROUNDS * clusterBytes) / diskBytesPerSecond,
  };
  return {
    signatureBytes,
    bucketBytes,
    clusterBytes,
    diskBytes: signatureBytes + bucketBytes + clusterBytes,
    memoryBytes: workers * (memoryBytes + WORKER_BYTES),
    seconds: { ...seconds, total: seconds.signatures + seconds.buckets + seconds.clusters },
  };
}

/** Documents per second of stage 1 on one core, measured on a sample. */
export function measureSketchRate(settings: DuplicateSettings, sample: readonly TextOfScript[]): number {
  const { keys, numBands } = sketcher(settings);
  const out = new BigUint64Array(2 * numBands);
  const started = performance.now();
  for (const document of sample) keys(document, "", out);
  return sample.length / ((performance.now() - started) / 1000);
}
