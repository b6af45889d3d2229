/** A Llama-shaped decoder of plain operators, trained for 20 steps: loss and every gradient's norm against PyTorch's. */
import { expect, test } from "vitest";
import { autocast, manualSeed, optim, scope } from "../src/index.ts";
import { type GoldenSteps, lossOf, makeWeights, nextBatch, OPTIMIZER, type Step } from "./decoder.ts";
import { readGolden } from "./golden.ts";

function train(bf16: boolean): Step[] {
  manualSeed(42);
  const weights = makeWeights();
  const parameters = [...weights.values()];
  const optimizer = new optim.AdamW(parameters, OPTIMIZER);
  return Array.from({ length: 20 }, () =>
    scope(() => {
      const ids = nextBatch();
      const loss = bf16 ? autocast({ dtype: "bfloat16" }, () => lossOf(weights, ids)) : lossOf(weights, ids);
      optimizer.zeroGrad();
      loss.backward();
      const norms = parameters.map((parameter) => parameter.grad!.norm().item());
      optimizer.step();
      return { loss: loss.item(), norms };
    }),
  );
}

const golden = readGolden<GoldenSteps>("training").decoder;

function worst(steps: readonly Step[], expected: readonly Step[]) {
  const relative = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);
  return {
    loss: Math.max(...steps.map(({ loss }, i) => relative(loss, expected[i]!.loss))),
    norm: Math.max(...steps.flatMap(({ norms }, i) => norms.map((value, p) => relative(value, expected[i]!.norms[p]!)))),
  };
}

test("fp32: 20 losses and 780 gradient norms within 1e-5", () => {
  const steps = train(false);
  const { loss, norm: norms } = worst(steps, golden.float32);
  expect(steps.map((step) => step.norms.length)).toEqual(Array(20).fill(39));
  expect(steps.at(-1)!.loss).toBeLessThan(steps[0]!.loss);
  expect(loss).toBeLessThan(1e-5);
  expect(norms).toBeLessThan(1e-5);
});

test("bf16 autocast: the same within the rounding of bfloat16", () => {
  const steps = train(true);
  const { loss, norm: norms } = worst(steps, golden.bfloat16);
  // Before rounding can grow through the updates, both agree closely.
  expect(worst(steps.slice(0, 1), golden.bfloat16.slice(0, 1)).norm).toBeLessThan(0.02);
  expect(loss).toBeLessThan(0.01);
  expect(norms).toBeLessThan(0.1);
});
