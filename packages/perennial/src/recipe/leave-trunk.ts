/**
 * A branch as a plan: the stages of its trunk up to the step where it leaves, then A steps of annealing on the text of that stage.
 *   steps of the last stage = (step − its startStep) + A
 */
import { FieldError } from "../errors.ts";
import { annealed, annealingStepsOf, asTrunk, resolveSchedule } from "../train/schedule/index.ts";
import { keepsRate, stageSchedule } from "./learning-rate.ts";
import type { BranchSpec } from "./parts/branch.ts";
import type { PlannedBranch, PlannedStage } from "./plan.ts";
import type { Recipe } from "./schema.ts";

export function leaveTrunk(
  recipe: Recipe,
  { from, step: written, stage, annealingSteps: wanted }: BranchSpec,
  trunk: readonly PlannedStage[],
): { branch: PlannedBranch; stages: PlannedStage[] } {
  const at = `branch ${recipe.variant}`;
  const end = ({ startStep, steps }: PlannedStage) => startStep + steps;
  const step = written ?? end(trunk.find(({ name }) => name === stage)!);
  const last = trunk.find((candidate) => step <= end(candidate));
  if (last === undefined)
    throw new FieldError("BRANCH_STEP", {
      at: `${at}, step`,
      expected: `a step of the trunk, at most ${end(trunk.at(-1)!)}`,
      received: step,
    });
  const governing = trunk.findLast(({ position }) => position <= last.position && !keepsRate(recipe, position))!;
  const annealingSteps = explained(at, () => {
    const schedule = asTrunk(resolveSchedule(stageSchedule(recipe, governing.position), governing.fullSteps));
    const length = wanted ?? annealingStepsOf(schedule);
    annealed(schedule, step - governing.startStep, length);
    return length;
  });
  const steps = step - last.startStep + annealingSteps;
  const kept = Math.ceil(last.evaluations * (annealingSteps / last.steps));
  return {
    branch: { from, step, annealingSteps },
    stages: [
      ...trunk.slice(0, last.position),
      { ...last, steps, tokens: steps * last.tokensPerStep, evaluations: Math.max(1, kept), checkpoints: Math.max(1, kept) },
    ],
  };
}

/** Says of which branch a schedule speaks. */
function explained<T>(at: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof FieldError) throw new FieldError(error.code, { ...error.data, at: `${at}, ${error.data.at}` }, { cause: error });
    throw error;
  }
}
