/**
 * HPLT-e: which tasks to trust when several corpora are compared, each task asked with several prompts. Scores in points, 0–100.
 * A task's score at a checkpoint is the best over its prompts. Per corpus, over the window of checkpoints:
 *   monotonicity        Spearman(step, score)                                    ≥ 0.5
 *   stability           100 · std/mean over checkpoints                          ≤ 12 (15 for the long window)
 *   prompt sensitivity  median absolute deviation over prompts, last checkpoint  ≤ 5 points
 *   SNR                 score/(std over prompts + 1e-8), mean over the window's end   ≥ 3
 *   non-randomness      best score − baseline                                    > 0
 * of which the median over corpora is tested. Reported without a bound: ranking (Kendall τ of corpora at consecutive checkpoints,
 * nan → 0) and prompt switching (100 · changes of the best prompt/(n − 1)). std is that of a population [our choice].
 * Source: HPLT 3.0, arXiv 2511.01066, hplt-project/hplt-e.
 */
import { mean, median, sorted, std } from "../thresholds/moments.ts";
import { kendallTauA, ranks, spearman } from "./correlation.ts";

export interface PromptedCurves {
  /** Steps of the window's checkpoints, ascending. */
  readonly steps: readonly number[];
  /** [corpora][checkpoints][prompts] */
  readonly scores: readonly (readonly (readonly number[])[])[];
  readonly baseline: number;
}

export interface WindowBounds {
  readonly maxVariation: number;
  /** Checkpoints at or after this step enter stability; all do when absent. */
  readonly stableFrom?: number;
  /** Checkpoints at or after this step enter the signal-to-noise ratio; default: the last one only. */
  readonly signalFrom?: number;
}

export const WINDOW_30BT: WindowBounds = { maxVariation: 12, stableFrom: 7000 };
export const WINDOW_100BT: WindowBounds = { maxVariation: 15, signalFrom: 38_000 };

export interface PromptedQuality {
  readonly monotonicity: number;
  readonly variation: number;
  readonly promptSensitivity: number;
  readonly signalToNoise: number;
  readonly nonRandomness: number;
  readonly ranking: number;
  readonly promptSwitching: number;
  readonly failed: readonly string[];
}

const MIN_MONOTONICITY = 0.5;
const MAX_PROMPT_SENSITIVITY = 5;
const MIN_SIGNAL_TO_NOISE = 3;
const NO_DIVISION_BY_ZERO = 1e-8;

export function promptedQuality(
  { steps, scores, baseline }: PromptedCurves,
  { maxVariation, stableFrom, signalFrom }: WindowBounds,
): PromptedQuality {
  const overCorpora = (of: (checkpoints: readonly (readonly number[])[]) => number) => median(sorted(scores.map(of)));
  const best = (prompts: readonly number[]) => Math.max(...prompts);
  const from = <T>(values: readonly T[], step = -Infinity) => values.filter((_, i) => steps[i]! >= step);
  const bestScores = scores.map((checkpoints) => checkpoints.map(best));

  const monotonicity = overCorpora((checkpoints) => spearman(steps, checkpoints.map(best)) || 0);
  const variation = overCorpora((checkpoints) => {
    const stable = from(checkpoints, stableFrom).map(best);
    return (100 * std(stable)) / mean(stable);
  });
  const promptSensitivity = overCorpora((checkpoints) => medianAbsoluteDeviation(checkpoints.at(-1)!));
  const signalToNoise = overCorpora((checkpoints) => {
    const end = from(checkpoints, signalFrom ?? steps.at(-1)!);
    return mean(end.map(best)) / (mean(end.map(std)) + NO_DIVISION_BY_ZERO);
  });
  const nonRandomness = overCorpora((checkpoints) => Math.max(...checkpoints.map(best)) - baseline);
  const ranking = mean(
    steps.slice(1).map(
      (_, i) =>
        kendallTauA(
          bestScores.map((s) => s[i]!),
          bestScores.map((s) => s[i + 1]!),
        ) || 0,
    ),
  );
  const promptSwitching = overCorpora((checkpoints) => {
    const chosen = checkpoints.map((prompts) => prompts.indexOf(best(prompts)));
    return (100 * chosen.filter((prompt, i) => i > 0 && prompt !== chosen[i - 1]).length) / (chosen.length - 1);
  });

  const failed = [
    !(monotonicity >= MIN_MONOTONICITY) && "monotonicity",
    !(variation <= maxVariation) && "variation",
    !(promptSensitivity <= MAX_PROMPT_SENSITIVITY) && "promptSensitivity",
    !(signalToNoise >= MIN_SIGNAL_TO_NOISE) && "signalToNoise",
    !(nonRandomness > 0) && "nonRandomness",
  ].filter((name) => name !== false);
  return { monotonicity, variation, promptSensitivity, signalToNoise, nonRandomness, ranking, promptSwitching, failed };
}

/** In points: 0 at the baseline and below, 100 at a perfect score. */
export const rescalePoints = (score: number, baseline: number): number => (100 * Math.max(score - baseline, 0)) / (100 - baseline);

export interface LanguageComparison {
  readonly corpus: string;
  readonly meanScore: number;
  /** Mean over languages of the corpus' rank, 1 = best; ties share their mean rank. */
  readonly meanRank: number;
  /** Σ over languages of the number of corpora that are worse. */
  readonly borda: number;
}

/** Scores by language and corpus, every language with every corpus. */
export function compareCorpora(scores: Readonly<Record<string, Readonly<Record<string, number>>>>): LanguageComparison[] {
  const languages = Object.values(scores);
  const corpora = Object.keys(languages[0] ?? {});
  const ranked = languages.map((byCorpus) => ranks(corpora.map((corpus) => -byCorpus[corpus]!)));
  return corpora.map((corpus, c) => ({
    corpus,
    meanScore: mean(languages.map((byCorpus) => byCorpus[corpus]!)),
    meanRank: mean(ranked.map((language) => language[c]!)),
    borda: languages.reduce((sum, byCorpus) => sum + corpora.filter((other) => byCorpus[other]! < byCorpus[corpus]!).length, 0),
  }));
}

function medianAbsoluteDeviation(values: readonly number[]): number {
  const center = median(sorted(values));
  return median(sorted(values.map((value) => Math.abs(value - center))));
}
