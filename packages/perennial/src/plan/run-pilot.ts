/**
 * Runs pilots with the trainer and reads their losses from the run store. Whatever was trained is found again: the folder of a pilot is
 * named by its model, its text and all that decides its result, so a plan that was stopped, or killed, goes on where it was, and one
 * whose text or settings changed does not take old numbers for new ones.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findInputs, hashInputs } from "../corpus/formats/index.ts";
import { PerennialError } from "../errors.ts";
import type { PilotCheckpoint, PilotResult, PilotSpec, RunPilot } from "../mixture/laws/index.ts";
import { resolveRecipe } from "../recipe/index.ts";
import { type Listener, runRecipe } from "../run/index.ts";
import { hashPath, hashText, openStore } from "../store/index.ts";
import { checkpointNames } from "../train/checkpoint.ts";
import { type PilotRun, pilotRuns, type RecipeChoice, recipeOf } from "./pilot-runs.ts";
import type { PlanFile } from "./schema.ts";

export interface PilotContext {
  readonly plan: PlanFile;
  /** Where relative paths of the plan start. */
  readonly baseFolder: string;
  readonly storePath: string;
  readonly cacheFolder: string;
  /** Where pilots lie, each in a folder of its own. */
  readonly pilotsFolder: string;
  readonly tokensPerStep: number;
  /** The base model of a size; without a size: the plan's. */
  readonly modelOf: (modelSize: number | undefined) => string;
  readonly listen?: Listener;
  readonly signal?: AbortSignal;
  readonly versions?: Readonly<Record<string, string>>;
}

/** The plan was interrupted; what was trained is saved, and the same call goes on from there. */
export class PlanInterrupted extends PerennialError {
  constructor() {
    super("PLAN_INTERRUPTED", "The plan was interrupted. The same command goes on where it stopped.");
  }
}

export function pilotRunner(context: PilotContext): RunPilot {
  const { plan, tokensPerStep, pilotsFolder } = context;
  return async (spec) => {
    const { sharing, runs } = pilotRuns(plan, spec, tokensPerStep);
    const pilot = join(pilotsFolder, await pilotName(context, spec));
    const folderOf = (run: PilotRun) => join(pilot, run.name, "main");
    const trunk = runs.find(({ name }) => name === "trunk");
    for (const run of runs) {
      if (run === trunk && sharing === "branches") continue;
      if (isFinished(context, folderOf(run))) continue;
      if (run.branchAt === null) await train(context, spec, run, pilot);
      else {
        await trunkUpTo(context, spec, trunk!, pilot, run.branchAt);
        await train(context, spec, run, pilot, { branchFrom: { folder: folderOf(trunk!), step: run.branchAt } });
      }
    }
    const losses = new Map(runs.map((run) => [run.name, lossesOf(context, folderOf(run), tokensPerStep)]));
    // What is measured stays in the store; the states on the way are of no more use.
    for (const run of runs) rmSync(join(folderOf(run), "checkpoints"), { recursive: true, force: true });
    return resultOf(spec, sharing, runs, losses);
  };
}

/** The trunk's checkpoint of exactly this step: branches are made in ascending order, so it never has to go back. */
async function trunkUpTo(context: PilotContext, spec: PilotSpec, trunk: PilotRun, pilot: string, step: number): Promise<void> {
  const folder = join(pilot, trunk.name, "main");
  const at = Number(checkpointNames(folder).at(-1) ?? 0);
  if (at > step || (at < step && isFinished(context, folder))) rmSync(join(pilot, trunk.name), { recursive: true, force: true });
  if (at === step) return;
  await train(context, spec, trunk, pilot, step < trunk.steps ? { until: step } : {});
}

async function train(
  context: PilotContext,
  spec: PilotSpec,
  run: PilotRun,
  pilot: string,
  how: { until?: number; branchFrom?: { folder: string; step: number } } = {},
): Promise<void> {
  const { plan, baseFolder, storePath, cacheFolder, listen, signal, versions } = context;
  const name = `${plan.name} share ${Number(spec.ratio.toFixed(4))} ${run.name}`;
  const recipe = recipeOf(plan, choiceOf(context, spec, run, { name, output: join(pilot, run.name) }));
  const [summary] = await runRecipe(resolveRecipe(recipe), {
    baseFolder,
    storePath,
    cacheFolder,
    resume: true,
    ...how,
    ...(listen === undefined ? {} : { listen: withoutStops(listen, how.until !== undefined) }),
    ...(signal === undefined ? {} : { signal }),
    ...(versions === undefined ? {} : { versions }),
  });
  if (signal?.aborted === true) throw new PlanInterrupted();
  if (summary!.result.status === "stopped" && how.until === undefined)
    throw new PerennialError("PLAN_PILOT", `The run ${name} stopped before its end: ${summary!.result.reason}`);
}

/** A trunk that pauses for a branch has nothing to tell. */
const withoutStops =
  (listen: Listener, pauses: boolean): Listener =>
  (message) => {
    if (!(pauses && message.kind === "warning" && message.text.startsWith("stopped after step"))) listen(message);
  };

const choiceOf = (
  { baseFolder, modelOf }: PilotContext,
  spec: PilotSpec,
  run: PilotRun,
  where: Partial<RecipeChoice> = {},
): RecipeChoice => ({
  ratio: spec.ratio,
  steps: run.steps,
  schedule: run.schedule,
  atSteps: run.atSteps,
  model: modelOf(spec.modelSize),
  baseFolder,
  ...where,
});

/** For people first, then by all that decides the losses. */
async function pilotName(context: PilotContext, spec: PilotSpec): Promise<string> {
  const { plan, tokensPerStep, cacheFolder } = context;
  const { runs } = pilotRuns(plan, spec, tokensPerStep);
  const recipes = runs.map((run) => recipeOf(plan, choiceOf(context, spec, run)));
  const { model, corpora } = recipes[0]!;
  const files = Object.values(corpora).flatMap(({ path, heldOut }) => [
    ...(typeof path === "string" ? [path] : path),
    ...(typeof heldOut === "object" && "path" in heldOut ? [heldOut.path] : []),
  ]);
  const text = await hashInputs(findInputs(files), join(cacheFolder, "inputs.json"));
  const { hash } = await hashPath(model as string);
  const id = hashText(JSON.stringify([recipes.map(({ name: _, model: __, ...rest }) => rest), text, hash]));
  return `share-${Number(spec.ratio.toFixed(4))}-${spec.tokens}-${id.slice(0, 8)}`;
}

function withRun<T>(
  { storePath }: PilotContext,
  folder: string,
  read: (store: ReturnType<typeof openStore>, key: number) => T,
): T | undefined {
  if (!existsSync(storePath)) return undefined;
  const store = openStore(storePath, { mode: "read" });
  try {
    const run = store.runs.newestIn(folder);
    return run?.status === "finished" ? read(store, run.key) : undefined;
  } finally {
    store.close();
  }
}

/** Finished, and with the model that a finished run leaves. */
const isFinished = (context: PilotContext, folder: string): boolean =>
  existsSync(join(folder, "model", "config.json")) && withRun(context, folder, () => true) === true;

interface Losses {
  readonly base: { readonly domainLoss: number; readonly generalLoss: number } | null;
  readonly byTokens: readonly PilotCheckpoint[];
}

function lossesOf(context: PilotContext, folder: string, tokensPerStep: number): Losses {
  const rows = withRun(context, folder, (store, key) => store.evaluations.read(key, "loss"));
  if (rows === undefined) throw new PerennialError("PLAN_PILOT", `${folder}: the store knows no finished run of this pilot.`);
  const at = (step: number, moment?: string) => {
    const found = (corpus: string) =>
      rows.findLast((row) => row.step === step && row.corpus === corpus && (moment === undefined || row.moment === moment))?.value ??
      Number.NaN;
    return { domainLoss: found("domain"), generalLoss: found("general") };
  };
  const steps = [...new Set(rows.filter(({ moment }) => moment !== "before").map(({ step }) => step))].sort((a, b) => a - b);
  return {
    base: rows.some(({ moment }) => moment === "before") ? at(0, "before") : null,
    byTokens: steps.map((step) => ({ tokens: step * tokensPerStep, ...at(step) })),
  };
}

function resultOf(
  spec: PilotSpec,
  sharing: ReturnType<typeof pilotRuns>["sharing"],
  runs: readonly PilotRun[],
  losses: ReadonlyMap<string, Losses>,
): PilotResult {
  const trunk = losses.get("trunk");
  const base = [...losses.values()].find((one) => one.base !== null)!.base!;
  if (sharing === "on-the-way") return { id: spec.id, base, checkpoints: trunk!.byTokens };
  const ends = runs.filter(({ name }) => name !== "trunk").map(({ name }) => losses.get(name)!.byTokens.at(-1)!);
  return { id: spec.id, base, checkpoints: ends, ...(sharing === "branches" ? { constantRate: trunk!.byTokens } : {}) };
}
