/**
 * What a run will need, before it is started: some documents of the first shards are read, extracted and sketched; how many there are in all
 * follows from the bytes they took, memory and disk from the layout of the files (deduplicate/forecast.ts).
 */
import { performance } from "node:perf_hooks";
import { FieldError } from "../../errors.ts";
import { type Forecast, forecastDeduplication, measureSketchRate } from "../deduplicate/index.ts";
import type { Document } from "../document.ts";
import { sizeOf } from "../formats/index.ts";
import { textBytes } from "./counts.ts";
import type { CorpusPlan } from "./plan.ts";
import { itemsOf } from "./read-items.ts";
import { identifierFor } from "./read-phase.ts";
import { openReadSteps } from "./read-steps.ts";
import { byteOptions } from "./shards.ts";

export interface CorpusForecast {
  /** Documents that were looked at. */
  readonly sampled: number;
  readonly shards: number;
  readonly inputBytes: number;
  readonly documents: number;
  readonly textBytes: number;
  /** Reading, extraction and language, documents per second and worker. */
  readonly readDocumentsPerSecond: number;
  readonly readSeconds: number;
  /** Null where nothing is deduplicated. */
  readonly deduplication: (Forecast & { readonly documentsPerSecond: number }) | null;
}

export interface ForecastOptions {
  readonly workers?: number;
  readonly sample?: number;
  /** Documents of the earlier corpora, where they count. */
  readonly earlierDocuments?: number;
}

/** Shards that the sample is taken from: the first may be unlike the others. */
const SAMPLED_SHARDS = 4;

export async function forecastCorpus(
  plan: CorpusPlan,
  { workers = 1, sample = 400, earlierDocuments = 0 }: ForecastOptions = {},
): Promise<CorpusForecast> {
  const { recipe } = plan;
  const shards = await Promise.all(
    plan.shards.map(async (shard) => ({ ...shard, sizeBytes: shard.sizeBytes ?? (await sizeOf(shard.path, byteOptions(recipe.reading))) })),
  );
  const step = Math.max(1, Math.floor(shards.length / SAMPLED_SHARDS));
  const looked = shards.filter((_, i) => i % step === 0).slice(0, SAMPLED_SHARDS);
  const documents: Document[] = [];
  let bytes = 0;
  const started = performance.now();
  for (const shard of looked) {
    const before = documents.length;
    const steps = await openReadSteps(plan, shard, {});
    let last = 0;
    let ended = true;
    for await (const item of itemsOf(shard, plan, 0)) {
      if ("rejection" in item) continue;
      const result = steps(item);
      if ("page" in item) last = item.page.offset + (item.page.sizeBytes ?? 0);
      if (!("document" in result) || "dropped" in result) continue;
      if (recipe.identify) identifierFor(recipe.identify).identify(result.document.text);
      documents.push(result.document);
      const { offset = 0, sizeBytes = 0 } = result.document.provenance;
      last = Math.max(last, offset + sizeBytes);
      if (documents.length - before < Math.ceil(sample / looked.length)) continue;
      ended = false;
      break;
    }
    bytes += ended || last === 0 ? shard.sizeBytes : Math.min(last, shard.sizeBytes);
  }
  const seconds = (performance.now() - started) / 1000;
  if (documents.length === 0)
    throw new FieldError("CORPUS_FORECAST", { at: looked[0]?.path ?? "inputs", expected: "documents to measure" });
  const inputBytes = shards.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const scale = inputBytes / bytes;
  const numDocuments = Math.round(documents.length * scale);
  const rate = documents.length / seconds;
  const documentsPerSecond = recipe.deduplicate ? measureSketchRate(recipe.deduplicate, documents) : 0;
  return {
    sampled: documents.length,
    shards: shards.length,
    inputBytes,
    documents: numDocuments,
    textBytes: Math.round(documents.reduce((sum, { text }) => sum + textBytes(text), 0) * scale),
    readDocumentsPerSecond: rate,
    readSeconds: numDocuments / (rate * Math.min(workers, shards.length)),
    deduplication: recipe.deduplicate && {
      documentsPerSecond,
      ...forecastDeduplication({
        ...{ settings: recipe.deduplicate, numDocuments, numEarlierDocuments: earlierDocuments, workers, documentsPerSecond },
        memoryBytes: recipe.memoryBytes,
      }),
    },
  };
}
