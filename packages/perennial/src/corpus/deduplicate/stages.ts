/** The stages of deduplication; what each reads and writes stands in workspace.ts. All memory is bounded by `memoryBytes`. */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PerennialError } from "../../errors.ts";
import { partial, publish, readJson, writeFully, writeJson } from "../durable.ts";
import { corpusNative } from "../native.ts";
import { contractToStars } from "./components.ts";
import type { TextOfScript } from "./minhash.ts";
import { documentNumber, lowerBound, mergeRuns, type Run, readRecords } from "./records.ts";
import { type Sketcher, sketcher } from "./sketch.ts";
import { KEY_WORDS, paths, readDuplicatePlan } from "./workspace.ts";

export const DEFAULT_MEMORY_BYTES = 256 * 2 ** 20;
const WORD_BYTES = 8;

export interface Candidate extends TextOfScript {
  /** Only documents of one name space are compared, e.g. those of one language. */
  readonly nameSpace?: string;
}

export interface SignatureCounts {
  /** Rows seen; rows that are `undefined` were left out before and only keep their number. */
  readonly rows: number;
  /** Documents with at least one key. */
  readonly sketched: number;
  /** Records of each part. */
  readonly parts: readonly number[];
}

/** Stage 1: the keys of every document of a shard. `undefined` stands for a row that takes no part. */
export async function writeSignatures(
  folder: string,
  shard: number,
  documents: AsyncIterable<Candidate | undefined> | Iterable<Candidate | undefined>,
  memoryBytes = DEFAULT_MEMORY_BYTES,
): Promise<SignatureCounts> {
  const done = readJson<SignatureCounts>(paths.signatures(folder, shard));
  if (done) return done;
  const plan = readDuplicatePlan(folder);
  const writer = new SignatureWriter(folder, shard, sketcher(plan.settings), memoryBytes);
  let rows = 0;
  for await (const document of documents) {
    if (rows >= 2 ** 32) throw new PerennialError("DEDUPLICATE_SHARD", `Shard ${shard} has more than 2^32 documents. Split it.`);
    if (document) writer.add(document, documentNumber(plan.earlierShards + shard, rows));
    rows++;
  }
  const counts = { rows, ...writer.finish() };
  writeJson(paths.signatures(folder, shard), counts);
  return counts;
}

class SignatureWriter {
  private readonly folder: string;
  private readonly shard: number;
  private readonly sketcher: Sketcher;
  private readonly capacity: number;
  private readonly bands: BigUint64Array[];
  private readonly keys: BigUint64Array;
  private readonly parts: number[] = [];
  private readonly number = new Float64Array(1);
  private readonly numberBits = new BigUint64Array(this.number.buffer);
  private filled = 0;

  constructor(folder: string, shard: number, sketcher: Sketcher, memoryBytes: number) {
    this.folder = folder;
    this.shard = shard;
    this.sketcher = sketcher;
    const recordBytes = sketcher.numBands * KEY_WORDS * WORD_BYTES;
    this.capacity = Math.max(256, Math.floor(memoryBytes / recordBytes));
    this.keys = new BigUint64Array(2 * sketcher.numBands);
    // Buffers grow up to their capacity, so that a small shard costs little.
    this.bands = Array.from({ length: sketcher.numBands }, () => new BigUint64Array(256 * KEY_WORDS));
    mkdirSync(dirname(paths.part(folder, shard, 0)), { recursive: true });
  }

  add(document: Candidate, number: number): void {
    if (!this.sketcher.keys(document, document.nameSpace ?? "", this.keys)) return;
    const at = this.filled * KEY_WORDS;
    if (at === this.bands[0]!.length) this.grow();
    this.number[0] = number;
    for (let band = 0; band < this.bands.length; band++) {
      const words = this.bands[band]!;
      words[at] = this.keys[2 * band]!;
      words[at + 1] = this.keys[2 * band + 1]!;
      words[at + 2] = this.numberBits[0]!;
    }
    if (++this.filled === this.capacity) this.spill();
  }

  finish(): { sketched: number; parts: number[] } {
    if (this.filled > 0) this.spill();
    return { sketched: this.parts.reduce((sum, records) => sum + records, 0), parts: this.parts };
  }

  private grow(): void {
    for (let band = 0; band < this.bands.length; band++) {
      const larger = new BigUint64Array(Math.min(this.capacity, 2 * this.filled) * KEY_WORDS);
      larger.set(this.bands[band]!);
      this.bands[band] = larger;
    }
  }

  private spill(): void {
    const path = paths.part(this.folder, this.shard, this.parts.length);
    const file = openSync(partial(path), "w");
    try {
      for (const words of this.bands) {
        corpusNative().sortRecords(words, this.filled, KEY_WORDS);
        writeFully(file, new Uint8Array(words.buffer, 0, this.filled * KEY_WORDS * WORD_BYTES));
      }
    } finally {
      closeSync(file);
    }
    publish(path);
    this.parts.push(this.filled);
    this.filled = 0;
  }
}

export interface BucketCounts {
  readonly records: number;
  readonly pairs: number;
}

/** Stage 2: brings the records of one band together, the earlier corpora's first. Needs stage 1 of all shards. */
export function mergeBucket(folder: string, band: number, memoryBytes = DEFAULT_MEMORY_BYTES): BucketCounts {
  const done = readJson<BucketCounts>(paths.bucket(folder, band));
  if (done) return done;
  const plan = readDuplicatePlan(folder);
  const runs: Run[] = [];
  if (plan.earlier !== null) {
    const keys = paths.keys(plan.earlier, band);
    runs.push([keys, 0, statSync(keys).size]);
  }
  for (let shard = 0; shard < plan.numShards; shard++) {
    const counts = readJson<SignatureCounts>(paths.signatures(folder, shard));
    if (!counts)
      throw new PerennialError("DEDUPLICATE_ORDER", `${paths.signatures(folder, shard)} is missing: run stage 1 of shard ${shard} first.`);
    counts.parts.forEach((records, part) => {
      const bytes = records * KEY_WORDS * WORD_BYTES;
      runs.push([paths.part(folder, shard, part), band * bytes, bytes]);
    });
  }
  mkdirSync(dirname(paths.keys(folder, band)), { recursive: true });
  const counts = mergeRuns(runs, {
    wordsPerRecord: KEY_WORDS,
    memoryBytes,
    scratch: paths.scratch(folder, `bucket-${band}`),
    output: partial(paths.keys(folder, band)),
    pairs: partial(paths.pairs(folder, band)),
  });
  publish(paths.keys(folder, band));
  publish(paths.pairs(folder, band));
  writeJson(paths.bucket(folder, band), counts);
  return counts;
}

export interface ClusterCounts {
  /** Clusters of two documents or more, and the documents in them. */
  readonly clusters: number;
  readonly members: number;
  readonly largest: number;
}

/** Stage 3: joins pairs to clusters and counts them. Needs stage 2 of all bands. */
export function findClusters(folder: string, memoryBytes = DEFAULT_MEMORY_BYTES): ClusterCounts {
  const done = readJson<ClusterCounts>(paths.clusters(folder));
  if (done) return done;
  const { settings } = readDuplicatePlan(folder);
  const numBands = settings.method === "exact" ? 1 : settings.numBands;
  const pairs = Array.from({ length: numBands }, (_, band) => {
    if (!existsSync(paths.bucket(folder, band)))
      throw new PerennialError("DEDUPLICATE_ORDER", `${paths.bucket(folder, band)} is missing: run stage 2 of band ${band} first.`);
    return paths.pairs(folder, band);
  });
  mkdirSync(dirname(paths.duplicates(folder)), { recursive: true });
  const counts = contractToStars(pairs, partial(paths.duplicates(folder)), { scratch: paths.scratch(folder, "clusters"), memoryBytes });
  publish(paths.duplicates(folder));
  writeJson(paths.clusters(folder), counts);
  return counts;
}

export interface Decision {
  /** False for a copy of an older document. */
  readonly keep: boolean;
  /** Documents in the cluster, this one included; earlier corpora count. */
  readonly clusterSize: number;
  /** Number of the cluster's oldest document; that of the document itself where it is alone. */
  readonly original: number;
}

/** Stage 4: what becomes of the documents of a shard, asked row by row in ascending order. Needs stage 3. */
export function duplicateDecisions(folder: string, shard: number): (row: number) => Decision {
  const plan = readDuplicatePlan(folder);
  if (!existsSync(paths.clusters(folder)))
    throw new PerennialError("DEDUPLICATE_ORDER", `${paths.clusters(folder)} is missing: run stage 3 first.`);
  const file = paths.duplicates(folder);
  const first = documentNumber(plan.earlierShards + shard, 0);
  const records = readRecords(file, 3, lowerBound(file, 3, first));
  let next = records.next();
  return (row) => {
    const number = first + row;
    while (!next.done && next.value[0]! < number) next = records.next();
    if (next.done || next.value[0] !== number) return { keep: true, clusterSize: 1, original: number };
    return { keep: next.value[1] === number, clusterSize: next.value[2]!, original: next.value[1]! };
  };
}
