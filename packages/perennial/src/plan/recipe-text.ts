/** The planned recipe as a person would have written it, with what the plan knows beside the numbers. */
import { isAbsolute, relative, resolve } from "node:path";
import { Document } from "yaml";
import type { MixturePlan } from "../mixture/laws/index.ts";
import { formatCount, type RecipeSpec } from "../recipe/index.ts";
import { recipeOf } from "./pilot-runs.ts";
import type { PlanFile } from "./schema.ts";

/** Shares with three decimals that sum to 1. */
export const writtenShare = (ratio: number): number => Math.min(0.999, Math.max(0.001, Number(ratio.toFixed(3))));

export function plannedRecipe(plan: PlanFile, ratio: number, steps: number, baseFolder: string, folder: string): RecipeSpec {
  const from = (path: string) => {
    const written = relative(folder, isAbsolute(path) ? path : resolve(baseFolder, path));
    return written.startsWith(".") ? written : `./${written}`;
  };
  const spec = recipeOf(plan, { ratio: writtenShare(ratio), steps });
  const stage = spec.stages[0]!;
  const [domain, general] = stage.mixture.sources;
  return {
    ...spec,
    model: from(plan.model),
    corpora: Object.fromEntries(
      Object.entries(plan.corpora).map(([name, { path, heldOut, ...rest }]) => [
        name,
        {
          ...rest,
          path: typeof path === "string" ? from(path) : path.map(from),
          heldOut: typeof heldOut === "object" && "path" in heldOut ? { path: from(heldOut.path) } : heldOut,
        },
      ]),
    ),
    stages: [
      {
        ...stage,
        mixture: { sources: [domain!, { ...general!, share: Number((1 - writtenShare(ratio)).toFixed(3)) }] },
      },
    ],
    evaluate: { maxTokensPerCorpus: plan.maxTokensPerCorpus },
    checkpoints: {},
    output: "run",
  };
}

export function recipeText(spec: RecipeSpec, { recommendation, options }: MixturePlan): string {
  const { ratio, low, high, tokens, domainLoss, generalLoss, epochs } = recommendation;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const band = (loss: { loss: number; low: number; high: number }) =>
    `${loss.loss.toFixed(3)} (90 %: ${loss.low.toFixed(3)} to ${loss.high.toFixed(3)})`;
  const head = [
    ` Planned from ${options.pilots.ratios.length} pilot shares: ${percent(ratio!)} of the tokens from the domain`,
    ` (90 % of the bootstrap: ${percent(low!)} to ${percent(high!)}), for ${formatCount(Math.round(tokens))} tokens.`,
    ` Expected losses, nats per token: domain ${band(domainLoss!)}, general ${band(generalLoss!)}.`,
    ` Passes over the text: domain ${epochs!.domain.toPrecision(2)}, general ${epochs!.general.toPrecision(2)}.`,
    ...recommendation.warnings.map((warning) => ` Note: ${warning}`),
  ];
  const document = new Document(spec);
  document.commentBefore = head.join("\n");
  return document.toString({ lineWidth: 0 });
}
