import { manualSeed, optim, setNumThreads } from "@perennial/torch";
import { beforeAll, expect, test } from "vitest";
import { full } from "../adapt/index.ts";
import { Decoder, decoderConfig } from "../model/index.ts";
import { causal, type Objective } from "../objective/index.ts";
import { LoopInterruption, type LoopParts, type StepReport, trainLoop } from "./loop.ts";
import type { Rule, Verdict } from "./rule.ts";
import { numberedSource } from "./testing/numbered-source.ts";

beforeAll(() => setNumThreads(1));

/** The causal loss, once not a number. */
const poisoned = (at: number): Objective => {
  const inner = causal({ zLoss: 0 });
  let calls = 0;
  return {
    name: "poisoned",
    lossSum(model, batch, options) {
      const result = inner.lossSum(model, batch, options);
      return calls++ === at ? { ...result, lossSum: result.lossSum.mul(Number.NaN) } : result;
    },
  };
};

const rule = (verdict: (step: number, finite: boolean) => Verdict | undefined): Rule => ({
  name: "test",
  beforeUpdate: ({ step, loss, gradNorm }) => verdict(step, Number.isFinite(loss) && Number.isFinite(gradNorm)),
});

async function train(objective: Objective, rules: readonly Rule[]) {
  manualSeed(5);
  const model = new Decoder(
    decoderConfig({ vocabSize: 32, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 }),
  );
  const adaptation = full(model);
  const optimizer = new optim.AdamW(
    adaptation.parameterSets.map(({ name, parameters }) => ({ name, parameters })),
    { learningRate: 0 },
  );
  const parts: LoopParts = {
    model,
    source: numberedSource({ B: 2, T: 8, vocabSize: 32 }),
    objective,
    adaptation,
    optimizer,
    schedule: () => 0.01,
    rules,
  };
  const settings = { totalSteps: 6, microBatches: 2, maxGradNorm: 1, autocastDtype: "float32", activationCheckpointing: false } as const;
  const reports: StepReport[] = [];
  const error = await trainLoop(parts, settings, 0, (report) => {
    reports.push(report);
    return "continue";
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { reports, error, weights: model.namedParameters().map(([, weight]) => [...weight.toFloat32Array()]) };
}

test("one step that is not a number ends the loop before it touches a weight", async () => {
  // Six micro-batches are three steps.
  const whole = await train(poisoned(6), []);
  expect(whole.error).toBeInstanceOf(LoopInterruption);
  expect((whole.error as LoopInterruption).message).toMatch(
    /^step 4: .*\(NaN\) is not a finite number; lower the learning rate, or add the rule lossSpike/,
  );
  expect(whole.reports).toHaveLength(3);
  const clean = await train(causal({ zLoss: 0 }), [rule((step) => (step === 3 ? { action: "stop", reason: "test" } : undefined))]);
  expect(whole.weights).toEqual(clean.weights);
});

test("a rule that skips it loses exactly that step", async () => {
  const skipped = await train(poisoned(6), [rule((_, finite) => (finite ? undefined : { action: "skip", reason: "not a number" }))]);
  expect(skipped.error).toBeUndefined();
  expect(skipped.reports.map((report) => report.skipped?.action)).toEqual([undefined, undefined, undefined, "skip", undefined, undefined]);
  const clean = await train(causal({ zLoss: 0 }), [rule((step) => (step === 3 ? { action: "skip", reason: "test" } : undefined))]);
  expect(skipped.weights).toEqual(clean.weights);
  expect(skipped.weights.flat().every(Number.isFinite)).toBe(true);
});
