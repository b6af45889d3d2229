/**
 * Pilot runs: the smallest grid of short continued pre-training runs that decides the mixture laws, and their execution.
 *  One run has a constant learning rate, so every checkpoint of it is a budget of its own, as it is or annealed on a short
 *  branch: the trunk is shared and the number of runs is ratios × sizes, not ratios × budgets × sizes. Checkpoints thin out geometrically, tokens ∝ 1.25^k,
 *  the cheapest of the published sampling patterns (arXiv 2406.01375; the spacing is our choice).
 *  A finished run is in the store and is never run again, so a plan that stopped continues where it was.
 */
import { FieldError } from "../../errors.ts";
import { checkPoints, type LossPoint, requireEnough } from "./points.ts";

export interface PilotSpec {
  /** Names the run in the store; equal specs have equal ids. */
  readonly id: string;
  /** Domain share of the tokens. */
  readonly ratio: number;
  readonly tokens: number;
  readonly modelSize?: number;
  /** Token counts at which both corpora are evaluated, ascending; the last is `tokens`. */
  readonly checkpoints: readonly number[];
  /** Of data order and everything else random. The same for all runs: they differ in the mixture only. */
  readonly seed: number;
}

/** Validation losses in nats per token, on the same windows in every run. */
export interface PilotResult {
  readonly id: string;
  /** Before the first step. */
  readonly base: { readonly domainLoss: number; readonly generalLoss: number };
  readonly checkpoints: readonly PilotCheckpoint[];
  /** Where every checkpoint is an annealed branch: what the trunk measured at its branch points, at the constant rate. */
  readonly constantRate?: readonly PilotCheckpoint[];
}

export interface PilotCheckpoint {
  readonly tokens: number;
  readonly domainLoss: number;
  readonly generalLoss: number;
}

export type RunPilot = (spec: PilotSpec) => Promise<PilotResult>;

/** Where finished pilots are kept between calls; a `Map` will do, a run store for resuming. */
export interface PilotStore {
  get(id: string): Promise<PilotResult | undefined> | PilotResult | undefined;
  set(id: string, result: PilotResult): unknown;
}

export interface PilotGrid {
  /** Longest pilot, in tokens. */
  readonly tokens: number;
  /** Five shares: four decide the law, one more leaves a degree of freedom. */
  readonly ratios?: readonly number[];
  /** One model, or at least three sizes. */
  readonly modelSizes?: readonly number[];
  readonly checkpoints?: number;
  /** Tokens of an optimizer step: a checkpoint is a whole number of steps. */
  readonly tokensPerStep?: number;
  readonly seed?: number;
}

export const PILOT_RATIOS = [1 / 8, 1 / 4, 1 / 3, 1 / 2, 3 / 4] as const;
const CHECKPOINTS = 12;
/** Tokens of the last checkpoint / tokens of the first, whatever their number. */
const SPAN = 1.25 ** (CHECKPOINTS - 1);

export function proposePilots(grid: PilotGrid): PilotSpec[] {
  const { tokens, ratios = PILOT_RATIOS, modelSizes, checkpoints = CHECKPOINTS, tokensPerStep = 1, seed = 1 } = grid;
  const at = "pilots";
  for (const ratio of ratios)
    if (!(ratio > 0 && ratio < 1))
      throw new FieldError("LAW_RATIO", {
        at: `${at}.ratios`,
        expected: "domain shares between 0 and 1",
        received: ratio,
        todo: "write 0.25 for a quarter of the tokens",
      });
  requireEnough(`${at}.ratios`, "different ratios", new Set(ratios).size, 4, "the law over the share has four parameters");
  requireEnough(`${at}.checkpoints`, "checkpoints", checkpoints, 6, "the law over the tokens of one run has five parameters");
  if (modelSizes !== undefined && modelSizes.length > 1)
    requireEnough(`${at}.modelSizes`, "model sizes, or one", modelSizes.length, 3, "two sizes cannot decide how the loss depends on size");
  const steps = (part: number) => Math.round(tokens / tokensPerStep / part) * tokensPerStep;
  const evaluated = [...new Set(Array.from({ length: checkpoints }, (_, i) => steps(SPAN ** (1 - i / (checkpoints - 1)))))];
  if (evaluated[0]! < 1 || evaluated.length < checkpoints)
    throw new FieldError("LAW_TOKENS", {
      at: `${at}.tokens`,
      expected: `enough tokens for ${checkpoints} checkpoints${tokensPerStep > 1 ? ` that are ${tokensPerStep} tokens (a step) apart or more` : ""}`,
      received: tokens,
      todo: `raise pilots.share, or the budget: ${Math.ceil(SPAN ** ((checkpoints - 2) / (checkpoints - 1)) / (SPAN ** (1 / (checkpoints - 1)) - 1)) * tokensPerStep} tokens are enough`,
    });
  const sizes: readonly (number | undefined)[] = modelSizes ?? [undefined];
  return sizes.flatMap((modelSize) =>
    ratios.map((ratio) => pilotSpec({ ratio, tokens: evaluated.at(-1)!, modelSize, checkpoints: evaluated, seed })),
  );
}

export function pilotSpec(spec: Omit<PilotSpec, "id" | "modelSize"> & { readonly modelSize: number | undefined }): PilotSpec {
  const { modelSize, ...rest } = spec;
  const size = modelSize === undefined ? "" : `size=${modelSize} `;
  const id = `${size}ratio=${spec.ratio} tokens=${spec.tokens} seed=${spec.seed} at=${spec.checkpoints.join(",")}`;
  return { id, ...rest, ...(modelSize === undefined ? {} : { modelSize }) };
}

/** Runs what the store does not have yet, one after the other, in order. */
export async function runPilots(specs: readonly PilotSpec[], run: RunPilot, store: PilotStore): Promise<PilotResult[]> {
  const results: PilotResult[] = [];
  for (const spec of specs) {
    const known = await store.get(spec.id);
    const result = known ?? (await run(spec));
    checkResult(spec, result);
    if (known === undefined) await store.set(spec.id, result);
    results.push(result);
  }
  return results;
}

/** The points of one corpus, over all runs; `constantRate`: before annealing, where pilots were annealed. */
export const pointsOf = (
  specs: readonly PilotSpec[],
  results: readonly PilotResult[],
  corpus: "domain" | "general",
  rate: "as-planned" | "constant" = "as-planned",
): LossPoint[] =>
  specs.flatMap(({ ratio, modelSize }, i) =>
    checkpointsOf(results[i]!, rate).map((checkpoint) => ({
      ratio,
      tokens: checkpoint.tokens,
      ...(modelSize === undefined ? {} : { modelSize }),
      loss: corpus === "domain" ? checkpoint.domainLoss : checkpoint.generalLoss,
    })),
  );

const checkpointsOf = (result: PilotResult, rate: "as-planned" | "constant") =>
  rate === "constant" ? (result.constantRate ?? result.checkpoints) : result.checkpoints;

/** A result that does not answer its spec would become a wrong law: refused before it is stored. */
function checkResult(spec: PilotSpec, result: PilotResult): void {
  const evaluated = result.checkpoints.map((checkpoint) => checkpoint.tokens);
  if (result.id !== spec.id || evaluated.join() !== spec.checkpoints.join())
    throw new FieldError("LAW_PILOT", {
      at: `pilot ${spec.id}`,
      expected: `a result with this id, evaluated at ${spec.checkpoints.join(", ")} tokens`,
      received: { id: result.id, checkpoints: evaluated },
    });
  for (const corpus of ["domain", "general"] as const) {
    const losses = [result.base, ...result.checkpoints, ...(result.constantRate ?? [])].map((at) =>
      corpus === "domain" ? at.domainLoss : at.generalLoss,
    );
    checkPoints(
      losses.map((loss) => ({ ratio: spec.ratio, tokens: 1, loss })),
      { at: `pilot ${spec.id} ${corpus} losses, base first`, ratios: "closed" },
    );
  }
}
