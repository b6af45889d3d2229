/** Evaluation curves as they stand in a JSON file: for FineTasks by model and seed, for HPLT-e by corpus and prompt. */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import type { TaskCurves } from "./finetasks.ts";
import type { PromptedCurves } from "./hplt-e.ts";

const scores = z.array(z.number());
const seeded = z.strictObject({
  baseline: z.number(),
  generative: z.boolean().default(false),
  models: z.record(z.string(), scores),
  seeds: z.array(scores).min(2),
});
const prompted = z.strictObject({ baseline: z.number(), corpora: z.record(z.string(), z.array(scores.min(1))) });
const fileSchema = z.strictObject({
  steps: z.array(z.number()).min(2),
  orderingFrom: z.number().default(0),
  tasks: z.record(z.string(), z.union([seeded, prompted])),
});

export interface NamedCurves {
  readonly name: string;
  readonly curves:
    | { readonly kind: "seeded"; readonly curves: TaskCurves }
    | { readonly kind: "prompted"; readonly curves: PromptedCurves };
}

/** `where` names the file in errors. */
export function parseTaskCurves(value: unknown, where: string): NamedCurves[] {
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new FieldError("TASK_CURVES", {
      at: `${where} ${path.join(".")}`,
      expected: "steps, and tasks with models and seeds, or with corpora",
      todo: message,
    });
  }
  const { steps, orderingFrom, tasks } = parsed.data;
  const sameLength = (curve: readonly unknown[], at: string) => {
    if (curve.length !== steps.length)
      throw new FieldError("TASK_CURVES", {
        at: `${where} ${at}`,
        expected: `a score for each of the ${steps.length} steps`,
        received: curve.length,
      });
  };
  return Object.entries(tasks).map(([name, task]) => {
    if ("corpora" in task) {
      for (const [corpus, curve] of Object.entries(task.corpora)) sameLength(curve, `tasks.${name}.corpora.${corpus}`);
      return { name, curves: { kind: "prompted", curves: { steps, baseline: task.baseline, scores: Object.values(task.corpora) } } };
    }
    for (const [model, curve] of Object.entries(task.models)) sameLength(curve, `tasks.${name}.models.${model}`);
    for (const [seed, curve] of task.seeds.entries()) sameLength(curve, `tasks.${name}.seeds[${seed}]`);
    const { baseline, generative, seeds } = task;
    return {
      name,
      curves: { kind: "seeded", curves: { steps, orderingFrom, baseline, generative, seeds, models: Object.values(task.models) } },
    };
  });
}
