/**
 * The first phase: the documents of a shard, extracted, repaired and identified, and the scores of its languages. A shard that cannot be read
 * is tried again, then costs itself only: what was read of it stays, and its mark says that it failed. A document that a step stumbles over
 * costs itself only, too.
 */
import { setTimeout as pause } from "node:timers/promises";
import { PerennialError } from "../../errors.ts";
import { languageLabel } from "../document.ts";
import { writeJson } from "../durable.ts";
import { isAddress } from "../formats/index.ts";
import { LanguageIdentifier, type ScoreCounts, ScoreHistogram } from "../language/index.ts";
import type { Funnel } from "./counts.ts";
import { dropLine } from "./drops.ts";
import { FrameWriter } from "./frames.ts";
import { type CorpusPlan, type CorpusTask, places } from "./plan.ts";
import { type Item, itemsOf } from "./read-items.ts";
import { openReadSteps, type ReadSteps } from "./read-steps.ts";

export interface ReadMark {
  readonly documents: number;
  readonly funnel: Funnel;
  /** Broken records by reason. */
  readonly rejections: Readonly<Record<string, number>>;
  /** Scores by label. */
  readonly scores: Readonly<Record<string, ScoreCounts>>;
  /** Why the shard could not be read to its end. */
  readonly failed?: string;
}

interface ReadState {
  documents: number;
  readonly funnel: Funnel;
  readonly rejections: Record<string, number>;
  scores: Record<string, ScoreCounts>;
}

/** One thread keeps one model. */
let identifier: LanguageIdentifier | undefined;

export function identifierFor(settings: LanguageIdentifier["settings"]): LanguageIdentifier {
  if (!identifier || JSON.stringify(identifier.settings) !== JSON.stringify(settings)) identifier = new LanguageIdentifier(settings);
  return identifier;
}

export async function readShard(folder: string, plan: CorpusPlan, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  const { recipe } = plan;
  const shard = plan.shards[task.index]!;
  const writer = await FrameWriter.open<ReadState>(places.journal(folder, task), { documents: 0, funnel: {}, rejections: {}, scores: {} });
  const { state } = writer;
  const output = places.read(folder, task.index);
  const scores = new Map(Object.entries(state.scores).map(([label, counts]) => [label, ScoreHistogram.from(counts)]));
  const stored = () =>
    Object.fromEntries([...scores].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, histogram]) => [label, histogram.toJSON()]));

  let items = writer.items;
  let failed: string | undefined;
  try {
    if (!writer.finished) {
      const steps = await openReadSteps(plan, shard, state.funnel);
      writer.touch(output);
      for (let failures = 0; ; ) {
        try {
          for await (const item of itemsOf(shard, plan, items)) {
            items++;
            take(item, steps);
            if (items % recipe.checkpointItems !== 0) continue;
            state.scores = stored();
            writer.checkpoint(items);
            onCheckpoint?.();
          }
          break;
        } catch (error) {
          // What reads addresses has tried again already. A full disk, say, ends the run.
          if (!(error instanceof PerennialError && error.code === "INPUT_UNREADABLE")) throw error;
          if (isAddress(shard.path) || ++failures > recipe.reading.retries) {
            failed = error.message;
            break;
          }
          await pause(1000 * recipe.reading.retrySeconds * 2 ** (failures - 1));
        }
      }
      state.scores = stored();
    }
    writer.finish(items);
  } catch (error) {
    writer.close();
    throw error;
  }
  writeJson(places.mark(folder, task), { ...state, ...(failed === undefined ? {} : { failed }) } satisfies ReadMark);
  writer.forget();

  function take(item: Item, steps: ReadSteps): undefined {
    if ("rejection" in item) return reject(item.rejection);
    const result = steps(item);
    if ("failed" in result) {
      const rejection = { reason: "step-failed", detail: result.failed, ...result.place };
      return reject(rejection);
    }
    if ("dropped" in result) {
      if (result.document) writer.write(places.dropped(folder, "read", task.index), dropLine(result.document, result.step, result.dropped));
      return undefined;
    }
    const document = recipe.identify ? identifierFor(recipe.identify).annotate(result.document) : result.document;
    const label = languageLabel(document);
    if (!scores.has(label)) scores.set(label, new ScoreHistogram());
    scores.get(label)!.add(document.languageScore ?? 1);
    writer.write(output, document);
    state.documents++;
  }

  function reject(rejection: { readonly reason: string }): undefined {
    state.rejections[rejection.reason] = (state.rejections[rejection.reason] ?? 0) + 1;
    writer.write(places.rejected(folder, task.index), rejection);
  }
}

/** Goes on without the rest of a shard that no worker survives: what was made safe of it stays, and its mark says why it ended there. */
export async function setShardAside(folder: string, task: CorpusTask, reason: string): Promise<void> {
  const writer = await FrameWriter.open<ReadState>(places.journal(folder, task), { documents: 0, funnel: {}, rejections: {}, scores: {} });
  writer.touch(places.read(folder, task.index));
  writer.finish(writer.items);
  writeJson(places.mark(folder, task), { ...writer.state, failed: reason } satisfies ReadMark);
  writer.forget();
}
