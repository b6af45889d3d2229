/** Where a run begins that goes on from another one: at one of its checkpoints, with optimizer, random numbers and place in the data. */
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FieldError, PerennialError } from "../errors.ts";
import type { Plan, Recipe } from "../recipe/index.ts";
import { hashPath, hashText, type Store } from "../store/index.ts";
import { type Checkpoint, checkpointName, checkpointNames, checkpointsFolder, openCheckpoint } from "../train/checkpoint.ts";
import { firstRankFirst, type World } from "../train/world.ts";
import type { PreparedCorpus } from "./corpora.ts";
import { branchPointFolder } from "./experience.ts";
import { measuredBeforeFolder } from "./paired-change.ts";

export interface BranchPoint {
  /** Of the other run. */
  readonly folder: string;
  readonly checkpoint: Checkpoint;
}

/** What is wanted: the folder of a run, and the step. */
interface Wanted {
  readonly at: string;
  readonly folder: string;
  readonly step: number | undefined;
}

export interface BranchPointOptions {
  readonly recipe: Recipe;
  readonly plan: Plan;
  /** Folder with a folder for each variant. */
  readonly root: string;
  readonly baseFolder: string;
  readonly world: World;
  /** Set by the caller instead of the recipe. */
  readonly branchFrom?: { readonly folder: string; readonly step: number } | undefined;
}

/** Undefined where the recipe begins with its model. Errors when there is no such checkpoint, or the other run was another one. */
export async function openBranchPoint(options: BranchPointOptions): Promise<BranchPoint | undefined> {
  const wanted = wantedOf(options);
  if (wanted === undefined) return undefined;
  // The first process may still be writing the checkpoint of the variant before.
  return firstRankFirst(options.world, async () => {
    const checkpoint = await find(wanted);
    if (options.branchFrom === undefined) checkSamePast(options.recipe, wanted, checkpoint);
    return { folder: wanted.folder, checkpoint };
  });
}

function wantedOf({ recipe, plan, root, baseFolder, branchFrom }: BranchPointOptions): Wanted | undefined {
  if (branchFrom !== undefined) return { at: "branchFrom", ...branchFrom };
  if (plan.branch !== null) return { at: `branch ${recipe.variant}`, folder: join(root, plan.branch.from), step: plan.branch.step };
  const { trunk } = recipe;
  return trunk === undefined ? undefined : { at: "trunk", folder: resolve(baseFolder, trunk.run), step: trunk.step };
}

async function find({ at, folder, step }: Wanted): Promise<Checkpoint> {
  const names = checkpointNames(folder);
  if (names.length === 0) throw new PerennialError("BRANCH_POINT", `${at}: ${folder} holds no run with checkpoints; train that one first.`);
  const name = step === undefined ? names.at(-1)! : checkpointName(step);
  if (names.includes(name)) return openCheckpoint(join(checkpointsFolder(folder), name));
  throw new PerennialError(
    "BRANCH_POINT",
    `${at}: ${folder} holds no checkpoint of step ${step} to branch from; it has those of ${names.map(Number).join(", ")}. ` +
      "Name the branch before its trunk is trained, and the checkpoint is kept; or raise checkpoints.keepLast.",
  );
}

/**
 * The first stages must be those of the other run, or the result would be that of no recipe. Whether their text is the same is checked by
 * its hash, where it is read.
 */
function checkSamePast(recipe: Recipe, { at, folder }: Wanted, { state }: Checkpoint): void {
  const path = join(folder, "recipe.json");
  if (!existsSync(path)) throw new PerennialError("BRANCH_POINT", `${at}: ${path} is missing, so nobody can tell what that run was.`);
  const other = JSON.parse(readFileSync(path, "utf8")) as Recipe;
  const known = recipe.stages.length;
  if (state.stage >= known)
    throw new FieldError("BRANCH_POINT", {
      at: `${at}: stages`,
      expected: `the ${state.stage + 1} stages of ${folder} up to step ${state.step}`,
      received: `${known} stages`,
    });
  const past = ({ seed, stages }: Recipe) => ({
    seed,
    stages: stages.slice(0, state.stage + 1),
  });
  const difference = firstDifference(past(recipe), past(other));
  if (difference !== undefined)
    throw new FieldError("BRANCH_POINT", {
      at: `${at}: ${difference.path}`,
      expected: `what ${folder} was trained with until step ${state.step}: ${JSON.stringify(difference.other)}`,
      received: difference.own ?? "nothing",
    });
}

function firstDifference(own: unknown, other: unknown, path = ""): { path: string; own: unknown; other: unknown } | undefined {
  if (JSON.stringify(own) === JSON.stringify(other)) return undefined;
  const bothMaps = [own, other].every((value) => typeof value === "object" && value !== null);
  if (!bothMaps) return { path, own, other };
  for (const key of new Set([...Object.keys(own as object), ...Object.keys(other as object)])) {
    const inner = Array.isArray(own) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const found = firstDifference((own as Record<string, unknown>)[key], (other as Record<string, unknown>)[key], inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Brings what the other run keeps beside its checkpoints: its tokenizer, what was measured before it, its replay buffer. */
export function bringAlong({ folder, checkpoint: { state } }: BranchPoint, target: string): void {
  const buffer = branchPointFolder(folder, state.step);
  const parts = [
    [join(folder, "tokenizer"), join(target, "tokenizer")],
    [measuredBeforeFolder(folder), measuredBeforeFolder(target)],
    [existsSync(buffer) ? buffer : join(folder, "replay"), join(target, "replay")],
  ] as const;
  for (const [from, to] of parts) if (existsSync(from)) cpSync(from, to, { recursive: true });
}

/**
 * The hash of the model that a branch comes from, recorded in the store: the model of a stage where the branch leaves at its end, else
 * that of the checkpoint. Null where the store knows nothing of the other run.
 */
export async function recordBranchPoint(
  { folder, checkpoint }: BranchPoint,
  recipe: Recipe,
  corpora: ReadonlyMap<string, PreparedCorpus>,
  store: Store,
): Promise<string | null> {
  const { stage, step, parentHash } = checkpoint.state;
  const run = store.runs.newestIn(folder);
  const stages = run === undefined ? [] : store.stages.read(run.key);
  const ended = stages.find(({ position, endStep }) => position === stage && endStep === step);
  const name = `${run?.name ?? recipe.name}/${recipe.stages[stage]!.name}`;
  const whole = run === undefined || ended === undefined ? undefined : store.lineage.madeBy(run.key).find((model) => model.name === name);
  if (whole !== undefined) return whole.hash;
  const path = join(checkpoint.folder, "model");
  const content = await hashPath(path);
  store.lineage.record({ ...content, kind: "checkpoint", name: `${name} after step ${step}`, path }, run?.key ?? null);
  const data = recipe.stages[stage]!.mixture.sources.map(({ corpus }) => {
    const { train, paths } = corpora.get(corpus)!;
    const hash = hashText(train.hash);
    store.lineage.record({ hash, bytes: train.textBytes, kind: "data", name: corpus, path: paths.join(", ") }, null);
    return { hash, role: "data" as const };
  });
  const model = parentHash !== null && store.lineage.byHash(parentHash) !== undefined ? [{ hash: parentHash, role: "model" as const }] : [];
  store.lineage.connect(content.hash, [...model, ...data], run?.key ?? null);
  return content.hash;
}
