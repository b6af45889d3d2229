/**
 * FineTasks: which evaluation tasks tell small models apart early. Scores 0–1; b random baseline; μ_s, σ_s mean and population std
 * over seed models at checkpoint s; σ_end mean of the last 5 σ_s.
 *   monotonicity          mean over models of Spearman(steps, scores)                    ≥ 0.5
 *   low noise             SNR = mean_s μ_s/σ_s                                           ≥ 20, not asked of generative tasks
 *   non-randomness        (max over models of the last score − b)/σ_end                  ≥ 3
 *   ordering consistency  mean Kendall τ-a between models' ranking at consecutive steps  reported, no gate
 * A curve that never moves has no correlation and counts 0. Source: FineWeb2, arXiv 2506.20920.
 */
import { mean, std } from "../thresholds/moments.ts";
import { kendallTauA, spearman } from "./correlation.ts";

export interface TaskCurves {
  /** Tokens or optimizer steps of the checkpoints, ascending. */
  readonly steps: readonly number[];
  /** [models][checkpoints], one model per reference corpus. */
  readonly models: readonly (readonly number[])[];
  /** [seeds][checkpoints], models that differ in their seed only. */
  readonly seeds: readonly (readonly number[])[];
  readonly baseline: number;
  readonly generative?: boolean;
  /** First step whose ranking counts for ordering consistency (published: 15 billion tokens). */
  readonly orderingFrom?: number;
}

export interface TaskQuality {
  readonly monotonicity: number;
  readonly signalToNoise: number;
  readonly nonRandomness: number;
  readonly orderingConsistency: number;
  /** Criteria that were not met; the task can be used when there is none. */
  readonly failed: readonly ("monotonicity" | "signalToNoise" | "nonRandomness")[];
}

const MIN_MONOTONICITY = 0.5;
const MIN_SIGNAL_TO_NOISE = 20;
const MIN_NON_RANDOMNESS = 3;
const END_CHECKPOINTS = 5;

export function taskQuality({ steps, models, seeds, baseline, generative = false, orderingFrom = 0 }: TaskCurves): TaskQuality {
  const monotonicity = mean(models.map((scores) => spearman(steps, scores) || 0));
  const atStep = steps.map((_, i) => seeds.map((scores) => scores[i]!));
  const spread = atStep.map(std);
  const signalToNoise = mean(atStep.map((scores, i) => mean(scores) / spread[i]!));
  const best = Math.max(...models.map((scores) => scores.at(-1)!));
  const nonRandomness = (best - baseline) / mean(spread.slice(-END_CHECKPOINTS));
  const failed: TaskQuality["failed"][number][] = [];
  if (!(monotonicity >= MIN_MONOTONICITY)) failed.push("monotonicity");
  if (!generative && !(signalToNoise >= MIN_SIGNAL_TO_NOISE)) failed.push("signalToNoise");
  if (!(nonRandomness >= MIN_NON_RANDOMNESS)) failed.push("nonRandomness");
  return { monotonicity, signalToNoise, nonRandomness, orderingConsistency: orderingConsistency(steps, models, orderingFrom), failed };
}

/** Mean τ-a of the models' scores at consecutive checkpoints; NaN with fewer than two models or checkpoints. */
export function orderingConsistency(steps: readonly number[], models: readonly (readonly number[])[], from = 0): number {
  const rankings = steps.flatMap((step, i) => (step < from ? [] : [models.map((scores) => scores[i]!)]));
  return mean(rankings.slice(1).map((scores, i) => kendallTauA(rankings[i]!, scores)));
}

/** Σ over categories of the mean rescaled score, each (s − b)/(1 − b) with floor 0, divided by the number of categories. */
export function aggregateScore(tasks: readonly { category: string; score: number; baseline: number }[]): number {
  const categories = [...new Set(tasks.map(({ category }) => category))];
  return mean(
    categories.map((wanted) =>
      mean(tasks.filter(({ category }) => category === wanted).map(({ score, baseline }) => rescale(score, baseline))),
    ),
  );
}

/** 0 at the random baseline and below, 1 at a perfect score. */
export const rescale = (score: number, baseline: number): number => Math.max(score - baseline, 0) / (1 - baseline);
