import { autocast, type Dtype, optim, scope, type Tensor } from "@perennial/torch";
import type { Adaptation } from "../adapt/adaptation.ts";
import { PerennialError } from "../errors.ts";
import type { Source } from "../mixture/source.ts";
import type { Decoder } from "../model/decoder.ts";
import type { Objective } from "../objective/objective.ts";
import type { Rule, StepView, Verdict } from "./rule.ts";
import type { Schedule } from "./schedule/index.ts";
import { type GradientSum, singleProcess, type World } from "./world.ts";

export interface LoopParts {
  readonly model: Decoder;
  readonly source: Source;
  readonly objective: Objective;
  readonly adaptation: Adaptation;
  readonly optimizer: optim.Optimizer<{ learningRate: number; weightDecay: number }>;
  readonly schedule: Schedule;
  readonly rules: readonly Rule[];
  readonly world?: World;
}

export interface LoopSettings {
  readonly totalSteps: number;
  /** Micro-batches of each process in a step: gradient accumulation. */
  readonly microBatches: number;
  readonly maxGradNorm: number | null;
  readonly autocastDtype: Dtype;
  readonly activationCheckpointing: boolean;
}

/** One finished step. */
export interface StepReport {
  /** Steps finished, this one included. */
  readonly step: number;
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Over all processes. */
  readonly targetTokens: number;
  readonly seconds: number;
  /** Seconds of those spent waiting for the source. */
  readonly dataSeconds: number;
  /** Set when a rule left the update out. */
  readonly skipped: Verdict | undefined;
}

/** What the caller decides after a step: go on, or leave the loop. */
export type AfterStep = (report: StepReport) => Promise<"continue" | "leave"> | "continue" | "leave";

/** A rule asked for more than skipping a step. */
export class LoopInterruption extends PerennialError {
  readonly verdict: Verdict;
  readonly step: number;
  constructor(verdict: Verdict, step: number) {
    super("LOOP_INTERRUPTION", verdict.reason);
    this.verdict = verdict;
    this.step = step;
  }
}

/**
 * The training loop. It knows no method by name: a Source says which tokens come, an Objective what they cost, an
 * Adaptation which parameters move, a Schedule how fast, and Rules what happens around a step.
 * Returns the number of steps finished. Throws LoopInterruption when a rule wants to stop or roll back; nothing has
 * been updated in that step.
 */
export async function trainLoop(parts: LoopParts, settings: LoopSettings, startStep: number, afterStep: AfterStep): Promise<number> {
  const { world = singleProcess, adaptation } = parts;
  const everything = parametersOf(parts);
  let whole: readonly Tensor[] | undefined;
  let gradients: GradientSum | undefined;
  try {
    for (let step = startStep; step < settings.totalSteps; step++) {
      const needed = adaptation.parts?.begin(step) ?? everything;
      if (needed !== whole) {
        gradients?.dispose();
        // A recomputed layer may reach a shared parameter more than once in a backward: its gradients travel at the end.
        gradients = world.gradientSum(needed, { overlap: !settings.activationCheckpointing });
        whole = needed;
      }
      const report = trainStep(parts, settings, step, world, gradients!);
      if ((await afterStep(report)) === "leave") return step + 1;
    }
    return settings.totalSteps;
  } finally {
    gradients?.dispose();
    adaptation.parts?.end();
  }
}

const parametersOf = ({ adaptation }: LoopParts) => adaptation.parameterSets.flatMap((set) => set.parameters);

function trainStep(parts: LoopParts, settings: LoopSettings, step: number, world: World, gradients: GradientSum): StepReport {
  const { model, source, objective, adaptation, optimizer, rules } = parts;
  const start = performance.now();
  const batches = source.next(settings.microBatches);
  const dataSeconds = (performance.now() - start) / 1000;
  // Divided by the targets of the whole step, over all micro-batches and processes: accumulation is exact.
  const targetTokens = world.sum(batches.reduce((sum, batch) => sum + batch.targetTokens, 0));
  if (targetTokens === 0)
    throw new PerennialError("STEP_EMPTY", `Step ${step + 1} has no token to predict; check the corpora and the sequence length.`);
  setLearningRate(parts, parts.schedule(step));
  // Summed where it is computed and read once: reading waits for the device.
  let reported: Tensor | undefined;
  for (const [i, batch] of batches.entries()) {
    if (i === batches.length - 1) gradients.beforeLastBackward();
    const before = reported;
    reported = scope(() => {
      const result = autocast({ device: model.device, dtype: settings.autocastDtype, enabled: settings.autocastDtype !== "float32" }, () =>
        objective.lossSum(model, batch, settings),
      );
      result.lossSum.div(targetTokens).backward();
      const own = result.reported.to("float64");
      return before === undefined ? own : before.add(own);
    });
    before?.dispose();
  }
  const lossSum = reported!.item();
  reported!.dispose();
  gradients.finish();
  const loss = world.sum(lossSum) / targetTokens;
  const gradNorm = scope(() => (adaptation.parts?.shareGradients() ?? optim.gradNorm(parametersOf(parts))).item());
  const view: StepView = { step, loss, gradNorm, learningRate: parts.schedule(step), model };
  const skipped = firstVerdict(rules, view) ?? notFinite(view);
  if (skipped !== undefined && skipped.action !== "skip") {
    optimizer.zeroGrad();
    throw new LoopInterruption(skipped, step);
  }
  if (skipped === undefined) {
    optimizer.step({ gradScale: settings.maxGradNorm === null ? 1 : Math.min(1, settings.maxGradNorm / (gradNorm + 1e-6)) });
    for (const rule of rules) rule.afterUpdate?.(view);
  }
  optimizer.zeroGrad();
  source.observe?.(step, new Map());
  return {
    step: step + 1,
    loss,
    gradNorm,
    learningRate: view.learningRate,
    targetTokens,
    seconds: (performance.now() - start) / 1000,
    dataSeconds,
    skipped,
  };
}

function firstVerdict(rules: readonly Rule[], view: StepView): Verdict | undefined {
  // Every rule sees every step, so that their states do not depend on each other's verdicts.
  const verdicts = rules.map((rule) => rule.beforeUpdate?.(view));
  return verdicts.find((verdict) => verdict !== undefined);
}

/** Where no rule has a better idea, an update that would leave no number in the weights ends the run. */
function notFinite({ step, loss, gradNorm }: StepView): Verdict | undefined {
  if (Number.isFinite(loss) && Number.isFinite(gradNorm)) return undefined;
  const reason = `step ${step + 1}: the loss (${loss}) or the norm of its gradient (${gradNorm}) is not a finite number; lower the learning rate, or add the rule lossSpike to skip such steps or roll back`;
  return { action: "stop", reason };
}

function setLearningRate({ optimizer, adaptation }: LoopParts, rate: number): void {
  for (const [i, group] of optimizer.groups.entries()) group.learningRate = rate * (adaptation.parameterSets[i]?.learningRateScale ?? 1);
}
