/** A plan and its cost, for a person: what `train --dry-run` prints. */

import { sampleSources } from "perennial/mixture";
import { type Estimate, formatCount, type Plan, type PlannedStage, type Recipe, TYPICAL_UTILIZATION } from "perennial/recipe";
import type { CorpusSize } from "perennial/run";
import { clock, gibibytes } from "./progress.ts";
import { printable, table } from "./text.ts";

export function planText(plan: Plan): string {
  const rows = plan.stages.map((stage) => [
    printable(stage.name),
    String(stage.steps),
    formatCount(stage.tokensPerStep),
    formatCount(stage.tokens),
    String(stage.evaluations),
    String(stage.checkpoints),
    stage.sources.map(source).join(", "),
  ]);
  const head = ["stage", "steps", "tokens/step", "tokens", "evaluations", "checkpoints", "mixture"];
  const { branch } = plan;
  const leaves = branch === null ? "" : `, a branch of ${printable(branch.from)} that leaves at step ${branch.step} and is annealed over ${branch.annealingSteps}`; // biome-ignore format: one line
  return `${printable(plan.variant)}: ${plan.totalSteps} steps, ${formatCount(plan.totalTokens)} tokens${leaves}\n${table(head, rows, [1, 2, 3, 4, 5])}`;
}

function source({ corpus, share, sampling, replayed }: PlannedStage["sources"][number]): string {
  return `${printable(corpus)} ${share === null ? `by ${sampling === "temperature" || sampling === "topics" ? "size" : sampling}` : `${Number((100 * share).toFixed(1))} %`}${replayed ? " replayed" : ""}`;
}

/** Floating point operations per second of a large matrix product, and in which type. */
export interface Peak {
  readonly flops: number;
  readonly dtype: string;
}

/** Seconds at the share of the peak that training usually reaches. */
export const secondsOf = ({ trainingFlops, evaluationFlops }: Estimate, { flops }: Peak): number =>
  (trainingFlops + evaluationFlops) / (flops * TYPICAL_UTILIZATION);

/** All variants together: they run in the same call, one after the other. */
export function estimateText(estimates: readonly Estimate[], peak: Peak): string {
  const { parameters, memory } = estimates.reduce((most, one) => (one.memory.total > most.memory.total ? one : most));
  const sum = (of: (estimate: Estimate) => number) => estimates.reduce((total, estimate) => total + of(estimate), 0);
  const parts = (["weights", "gradients", "optimizer", "activations", "logits"] as const).map(
    (part) => `${part} ${gibibytes(memory[part])}`,
  );
  return [
    ["model", `${formatCount(parameters)} parameters`],
    ["memory", `about ${gibibytes(memory.total)} at the peak (${parts.join(", ")})`],
    [
      "operations",
      `${sum(({ trainingFlops }) => trainingFlops).toExponential(2)} to train, at most ` +
        `${sum(({ evaluationFlops }) => evaluationFlops).toExponential(2)} to evaluate${estimates.length > 1 ? `, all ${estimates.length} variants together` : ""}`,
    ],
    [
      "time",
      `about ${clock(sum((estimate) => secondsOf(estimate, peak)))} if ${TYPICAL_UTILIZATION * 100} % of this machine's ${peak.dtype} peak ` +
        `(${Math.round(peak.flops / 1e9)} GFLOP/s, measured now) is reached; small models reach less`,
    ],
  ]
    .map(([name, text]) => `${name!.padEnd(12)}${text}\n`)
    .join("");
}

/** What the sampling of each stage makes of the corpora's sizes; stages whose shares are written down, or with one corpus, have nothing to tell. */
export function samplingText(recipe: Recipe, plan: Plan, corpora: readonly CorpusSize[]): string {
  return recipe.stages
    .flatMap(({ name, mixture }, i) => {
      const sizes = mixture.sources.map(({ corpus }) => corpora.find((one) => one.name === corpus)?.tokens ?? null);
      if (mixture.sources.length === 1 && mixture.sampling.sampling === "temperature") return [];
      if (mixture.sources.every(({ share }) => share !== null) || sizes.includes(null)) return [];
      const budget = plan.stages[i]!.tokens * (1 - (mixture.replay?.share ?? 0));
      const sources = mixture.sources.map(({ corpus, share, maxEpochs, group }, j) => ({
        ...{ name: corpus, tokens: sizes[j]!, share, maxEpochs, group },
        language: recipe.corpora[corpus]!.language,
      }));
      const rows = sampleSources(sources, mixture.sampling, budget, `stage ${name}`).map(({ name: corpus, share, maxEpochs }, j) => [
        printable(corpus),
        `${(100 * share).toFixed(1)} %`,
        formatCount(Math.round(share * budget)),
        ((share * budget) / sizes[j]!).toPrecision(2),
        maxEpochs === null ? "–" : String(maxEpochs),
      ]);
      const { sampling } = mixture.sampling;
      const told = sampling === "topics" ? "topics, at first: they follow the held-out perplexities" : sampling;
      return [
        `\n${printable(name)}: sampling by ${told}\n${table(["corpus", "share", "tokens", "epochs", "at most"], rows, [1, 2, 3, 4])}`,
      ];
    })
    .join("");
}

/** `epochs`: how often the first plan reads each corpus, held-out text counted as training text. */
export const corporaText = (corpora: readonly CorpusSize[], plan: Plan): string =>
  table(
    ["corpus", "files", "on disk", "tokens", "epochs"],
    corpora.map((corpus) => [
      printable(corpus.name),
      String(corpus.files),
      gibibytes(corpus.bytes),
      corpus.tokens === null ? "after the tokenizer" : `${corpus.exact ? "" : "≈ "}${formatCount(corpus.tokens)}`,
      epochsOf(corpus, corpora, plan),
    ]),
    [1, 2, 3, 4],
  );

/** Sources without a share of their own share by size, among those of their kind. */
function epochsOf({ name, tokens }: CorpusSize, corpora: readonly CorpusSize[], plan: Plan): string {
  if (tokens === null || tokens === 0) return "–";
  const sizeOf = (corpus: string) => corpora.find((one) => one.name === corpus)?.tokens ?? 0;
  let drawn = 0;
  for (const { sources, tokens: budget } of plan.stages)
    for (const { corpus, share, sampling, kindShare, replayed } of sources) {
      if (corpus !== name) continue;
      if (share === null && sampling !== "temperature" && sampling !== "topics") return "below";
      const together = sources.reduce((sum, source) => sum + (source.replayed === replayed ? sizeOf(source.corpus) : 0), 0);
      drawn += budget * (share ?? (kindShare * tokens) / together);
    }
  return drawn === 0 ? "–" : formatCount(Number((drawn / tokens).toPrecision(2)));
}
