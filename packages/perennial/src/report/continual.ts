/**
 * What a sequence of stages did to what was known before, from measured bits per byte. Formulas: `evaluate/continual`.
 * The task of a stage is its new text: the mean over the corpora that it draws from, replayed ones left out.
 */
import { averageAccuracy, backwardTransfer, forgetting, forwardTransfer, scoreMatrix, stabilityGap } from "../evaluate/continual/index.ts";
import type { Stage } from "../store/index.ts";
import type { CorpusScores } from "./data.ts";

export interface SequenceMeasures {
  tasks: string[];
  /** ACC as bits per byte: mean over the tasks after the last stage; lower is better. */
  averageBitsPerByte: number;
  /** BWT: mean change of each task from the end of its stage to the end of the last; below 0 is forgetting. */
  backwardTransfer: number;
  /** FWT: what earlier stages did for a task before its own; above 0 is help. */
  forwardTransfer: number;
  /** Mean distance from each task's best before the last stage; below 0 is better than ever. */
  forgetting: number;
}

export interface StabilityGapMeasures {
  stage: string;
  corpus: string;
  /** Bits per byte. */
  depth: number;
  /** Tokens since the stage began; null: never fell, or never recovered. */
  location: number | null;
  recovery: number | null;
  /** Bits per byte · tokens. */
  area: number;
  /** Change of bits per byte against the value when the stage began, over tokens since then. */
  curve: { tokens: number; change: number }[];
}

/** Whether the run began with a model that knew something. */
export const continuesModel = (recipe: unknown): boolean => typeof (recipe as { model?: unknown }).model !== "object";

/** Names of the corpora in the order of the recipe. */
export const corporaInOrder = (recipe: unknown): string[] => Object.keys((recipe as { corpora?: object }).corpora ?? {});

/** Names of the corpora that stage after stage draws from, as a resolved recipe holds them. */
export function ownCorpora(recipe: unknown): string[][] {
  const { stages } = recipe as { stages?: { mixture?: { sources?: { corpus?: unknown }[] } }[] };
  if (!Array.isArray(stages)) return [];
  return stages.map(({ mixture }) => (mixture?.sources ?? []).map(({ corpus }) => String(corpus)));
}

/** Undefined for fewer than two stages, or where a value that is needed was not measured. */
export function sequenceMeasures(
  own: readonly (readonly string[])[],
  matrix: { corpora: readonly string[]; values: readonly (readonly number[])[] },
): SequenceMeasures | undefined {
  if (own.length < 2 || matrix.values.length !== own.length + 1) return undefined;
  const task = (row: readonly number[], corpora: readonly string[]) =>
    corpora.reduce((sum, corpus) => sum + (row[matrix.corpora.indexOf(corpus)] ?? Number.NaN), 0) / corpora.length;
  const [before, ...after] = matrix.values.map((row) => own.map((corpora) => task(row, corpora)));
  if (before!.some(Number.isNaN) || after.flat().some(Number.isNaN)) return undefined;
  const scores = scoreMatrix({ after, before: before!, higherIsBetter: false });
  return {
    tasks: own.map((corpora) => corpora.join(" + ")),
    averageBitsPerByte: -averageAccuracy(scores),
    backwardTransfer: backwardTransfer(scores),
    forwardTransfer: forwardTransfer(scores),
    forgetting: forgetting(scores),
  };
}

/**
 * One entry for each stage and each old corpus, where at least one value lies between the ends. Old is what an earlier stage taught, or,
 * if the run `continues` a model, whatever is not the stage's own.
 */
export function stabilityGaps(
  own: readonly (readonly string[])[],
  stages: readonly Stage[],
  scores: readonly CorpusScores[],
  continues: boolean,
): StabilityGapMeasures[] {
  return stages.flatMap(({ name, startStep }, position) =>
    scores
      .filter(({ corpus }) => !(own[position] ?? []).includes(corpus) && (continues || own.slice(0, position).flat().includes(corpus)))
      .flatMap(({ corpus, points }): StabilityGapMeasures[] => {
        const start = points.findLast(({ step, stage }) => step === startStep && stage <= position);
        if (start === undefined) return [];
        const later = points.filter(({ stage, tokens }) => stage === position && tokens > start.tokens);
        const curve = [start, ...later]
          .map(({ tokens, value }) => ({ tokens: tokens - start.tokens, change: value - start.value }))
          .filter(({ change, tokens }, i, all) => Number.isFinite(change) && (i === 0 || tokens > all[i - 1]!.tokens));
        if (curve.length < 3) return [];
        const gap = stabilityGap(curve.map(({ tokens, change }) => ({ tokens, score: -change })));
        return [{ stage: name, corpus, depth: gap.depth, location: gap.location, recovery: gap.recovery, area: gap.area, curve }];
      }),
  );
}
