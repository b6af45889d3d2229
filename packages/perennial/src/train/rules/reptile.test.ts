import { noGrad, optim, type Tensor, tensor } from "@perennial/torch";
import { expect, test } from "vitest";
import type { StepView } from "../rule.ts";
import { type ReptileOptions, reptile } from "./reptile.ts";

const options: ReptileOptions = { everySteps: 2, interpolation: 0.1, flushAtStageEnd: false };
const view = (step: number) => ({ step }) as StepView;

/** Gradient descent on the losses, one after the other, with the rule behind each step. Returns the weight after each step. */
function descend(gradients: readonly ((theta: number) => number)[], given: ReptileOptions | undefined, rate = 0.1, start = 1): number[] {
  const theta = tensor([start], { dtype: "float64" });
  const rule = given === undefined ? undefined : reptile([["theta", theta]], given, gradients.length);
  return gradients.map((gradient, step) => {
    noGrad(() => theta.sub_(rate * gradient(theta.item())));
    rule?.afterUpdate?.(view(step));
    return theta.item();
  });
}

/** L1 = θ²/2, L2 = (θ − 3)². */
const quadratics = [(theta: number) => theta, (theta: number) => 2 * (theta - 3)];

test("scalar quadratics, η = 0.1, θ0 = 1: θ1 = 0.9, θ2 = 1.32, and 1.032 with ε = 0.1", () => {
  expect(descend(quadratics, undefined)).toEqual([0.9, expect.closeTo(1.32, 12)]);
  expect(descend(quadratics, options)).toEqual([0.9, expect.closeTo(1.032, 12)]);
});

test("gradient alignment: (θ0 − θ2)/η = g1 + g2 − η H2 g1, exact on quadratics", () => {
  const [rate, g1, g2, h2] = [0.1, 1, -4, 2];
  const theta2 = descend(quadratics, undefined, rate)[1]!;
  expect((1 - theta2) / rate).toBeCloseTo(g1 + g2 - rate * h2 * g1, 12);
});

test("ε = 1 is training without it, to the bit; ε = 0 never moves", () => {
  const many = Array.from({ length: 21 }, (_, i) => quadratics[i % 2]!);
  expect(descend(many, { ...options, everySteps: 3, interpolation: 1 })).toEqual(descend(many, undefined));
  const still = descend(many, { ...options, everySteps: 3, interpolation: 0 });
  for (let step = 2; step < many.length; step += 3) expect(still[step]).toBe(1);
});

test("steps count from 1; the rest of a stage is left, or flushed", () => {
  const five = Array.from({ length: 5 }, () => () => -10); // + 1 a step
  expect(descend(five, { ...options, interpolation: 0.5 })).toEqual([2, 2, 3, 3, 4]);
  expect(descend(five, { ...options, interpolation: 0.5, flushAtStageEnd: true })).toEqual([2, 2, 3, 3, 3.5]);
});

test("float32 at full scale: ε = 1 keeps AdamW's trajectory to the bit, whose moments are untouched", () => {
  const run = (given: ReptileOptions | undefined): { weight: number[]; steps: number } => {
    const weight: Tensor = tensor([0.3, -0.7, 1e-3]).requiresGrad_(true);
    const optimizer = new optim.AdamW([{ name: "w", parameters: [weight] }], { learningRate: 0.01 });
    const rule = given === undefined ? undefined : reptile([["w", weight]], given, 7);
    for (let step = 0; step < 7; step++) {
      weight.mul(weight).mul(step + 1).sum().backward(); // biome-ignore format: a chain
      optimizer.step();
      optimizer.zeroGrad();
      rule?.afterUpdate?.(view(step));
    }
    return { weight: [...weight.toFloat32Array()], steps: optimizer.state().tensors.size };
  };
  expect(run({ ...options, interpolation: 1 })).toEqual(run(undefined));
  expect(run({ ...options, interpolation: 0.5 }).weight).not.toEqual(run(undefined).weight);
});

test("the anchors are what a checkpoint saves", () => {
  const theta = tensor([1]);
  const rule = reptile([["theta", theta]], options, 9);
  noGrad(() => theta.add_(1));
  rule.afterUpdate?.(view(1));
  expect(rule.tensors?.().get("theta")?.item()).toBeCloseTo(1.1, 6);
  expect(theta.item()).toBeCloseTo(1.1, 6);
});
