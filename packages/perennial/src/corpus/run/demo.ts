/**
 * A small crawl of real text whose truth is known (demo-crawl.ts), the pipeline over it, and how well each step did (demo-quality.ts). Every
 * other article becomes a page; the others are the clean reference that the filter thresholds of each language are fitted from.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { stream } from "../../stream.ts";
import { writeDurably } from "../durable.ts";
import { writeJsonl } from "../formats/index.ts";
import { type Article, type DemoTexts, plant, writeCrawl } from "./demo-crawl.ts";
import { measureQuality, type StepQuality } from "./demo-quality.ts";
import type { CorpusManifest } from "./manifest.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { type RunOptions, runCorpus } from "./run.ts";

export type { DemoTexts } from "./demo-crawl.ts";
export type { StepQuality } from "./demo-quality.ts";

export interface DemoOptions extends Omit<RunOptions, "redo" | "onCheckpoint"> {
  /** Must have English (`eng_Latn`) among the wanted languages: thresholds are carried over from it. */
  readonly texts: DemoTexts;
  /** Path of a fastText language identification model. */
  readonly model: string;
  readonly seed?: number;
}

const SHARDS = 4;

/** Writes crawl/, reference/, recipe.yaml and corpus/ into `folder`. */
export async function corpusDemo(folder: string, options: DemoOptions): Promise<{ manifest: CorpusManifest; quality: StepQuality[] }> {
  const { texts, model, seed = 1, ...run } = options;
  const labels = Object.keys(texts.wanted);
  const part = (remainder: number) =>
    Object.fromEntries(labels.map((label) => [label, texts.wanted[label]!.filter((_, i) => i % 2 === remainder)]));
  const truths = plant({ wanted: part(0), foreign: texts.foreign }, stream(seed, "corpus-demo"));
  const crawl = writeCrawl(join(folder, "crawl"), truths, SHARDS);
  const references = await writeReferences(join(folder, "reference"), part(1));
  const { eng_Latn: english, ...others } = references;
  const recipe: CorpusRecipeInput = {
    name: "demo",
    inputs: [crawl.inputs],
    robots: { files: [crawl.robots] },
    identify: { model },
    // The fitted bound, a deviation below the median, would take a sixth of a language that has next to no strangers in it.
    languages: { keep: labels, minScore: 0.5 },
    // A quarter of a minute for a page on a busy machine is no bomb.
    extract: { maxSeconds: 15 },
    thresholds: { fit: { english: english!, references: others } },
    checkpointItems: 200,
  };
  writeDurably(join(folder, "recipe.yaml"), stringify(recipe));
  const manifest = await runCorpus(join(folder, "corpus"), recipe, { ...run, redo: true });
  return { manifest, quality: await measureQuality(join(folder, "corpus"), SHARDS, labels, truths) };
}

async function writeReferences(folder: string, articles: Readonly<Record<string, readonly Article[]>>): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  const paths: Record<string, string> = {};
  for (const [label, texts] of Object.entries(articles)) {
    paths[label] = join(folder, `${label}.jsonl.zst`);
    await writeJsonl(
      paths[label],
      texts.map((lines, i) => ({
        id: `${label}-${i}`,
        text: lines.join("\n"),
        provenance: { file: "reference" },
        metadata: {},
        annotations: {},
      })),
    );
  }
  return paths;
}
