import { expect, test } from "vitest";
import { grad, manualSeed, scope, type Tensor, tensor, torch } from "../index.ts";
import * as fused from "./index.ts";

const { reference } = fused;

/** Value and gradients of Σ f · fixed random weights, for every input that asks for a gradient. */
function valueAndGrad(f: (...inputs: Tensor[]) => Tensor | readonly Tensor[], inputs: readonly Tensor[]) {
  const outputs = [f(...inputs)].flat() as Tensor[];
  manualSeed(99);
  const total = outputs
    .filter((output) => output.requiresGrad)
    .map((output) => output.mul(torch.randn(output.shape)).sum())
    .reduce((a, b) => a.add(b));
  return {
    outputs,
    grads: grad(
      total,
      inputs.filter((input) => input.requiresGrad),
    ) as Tensor[],
  };
}

function expectAgreement(
  fast: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  plain: typeof fast,
  inputs: readonly Tensor[],
  relative = 2e-5,
  absolute = 2e-6,
) {
  scope(() => {
    const a = valueAndGrad(fast, inputs);
    const b = valueAndGrad(plain, inputs);
    for (const [i, output] of a.outputs.entries()) expect(output.isClose(b.outputs[i]!, { relative, absolute }), `output ${i}`).toBe(true);
    for (const [i, gradient] of a.grads.entries()) {
      // Sums over many rows differ by rounding in proportion to their largest terms, not to each element.
      const largest = b.grads[i]!.abs().max().item();
      expect(gradient.isClose(b.grads[i]!, { relative, absolute: absolute + 1e-5 * largest }), `gradient ${i}`).toBe(true);
    }
  });
}

const random = (...shape: number[]) => torch.randn(shape).requiresGrad_();

test.each([
  [1, 1],
  [3, 7],
  [64, 257],
  [1000, 768],
])("rmsNorm and addRmsNorm equal their references, [%i,%i]", (rows, columns) => {
  manualSeed(rows);
  const inputs = [random(2, rows, columns), random(columns)];
  expectAgreement(
    (x, w) => fused.rmsNorm(x!, w!, 1e-5),
    (x, w) => reference.rmsNorm(x!, w!, 1e-5),
    inputs,
  );
  const three = [random(rows, columns), random(rows, columns), random(columns)];
  expectAgreement(
    (x, z, w) => fused.addRmsNorm(x!, z!, w!, 1e-5),
    (x, z, w) => reference.addRmsNorm(x!, z!, w!, 1e-5),
    three,
  );
});

test("linears equal their references, where some weights are frozen and outputs unused", () => {
  manualSeed(8);
  const inputs = [random(3, 5, 24), random(7, 24), torch.randn([9, 24]), random(24, 24)];
  expectAgreement(
    (x, ...weights) => fused.linears(x!, weights),
    (x, ...weights) => reference.linears(x!, weights),
    inputs,
  );
  expectAgreement(
    (x, ...weights) => fused.linears(x!, weights)[2]!,
    (x, ...weights) => reference.linears(x!, weights)[2]!,
    [inputs[0]!, inputs[1]!.detach(), inputs[2]!, inputs[3]!],
  );
});

test.each([[1], [17], [40_001]])("swiglu equals its reference, %i elements", (count) => {
  manualSeed(count);
  expectAgreement(
    (g, u) => fused.swiglu(g!, u!),
    (g, u) => reference.swiglu(g!, u!),
    [torch.randn([count]).mul(8).requiresGrad_(), random(count)],
  );
});

test.each([1, 3])("rope equals its reference, angles for %i rows", (rows) => {
  manualSeed(5);
  const half = torch.randn([rows, 11, 8]).mul(3);
  const angles = torch.cat([half, half], -1); // both halves of a head turn alike
  const [cos, sin] = [angles.cos(), angles.sin()];
  expectAgreement(
    (x) => fused.rope(x!, cos, sin),
    (x) => reference.rope(x!, cos, sin),
    [random(3, 11, 5, 16)],
  );
});

test.each([
  [1, 3, 5, 0],
  [50, 16, 301, 0],
  [700, 32, 12_289, 1e-2],
])("linearCrossEntropy equals its reference, N %i D %i V %i zLoss %f", (N, D, V, zLoss) => {
  manualSeed(N);
  const labels = torch.randint(V, [N]).long();
  if (N > 1) labels.assign([[0, N, 7]], -100);
  const inputs = [random(N, D), torch.randn([V, D]).mul(0.3).requiresGrad_()];
  expectAgreement(
    (h, w) => fused.linearCrossEntropy(h!, w!, labels, { zLoss })[0],
    (h, w) => reference.linearCrossEntropy(h!, w!, labels, { zLoss })[0],
    inputs,
    1e-4,
    1e-5,
  );
  const [, reported] = fused.linearCrossEntropy(inputs[0]!, inputs[1]!, labels, { zLoss });
  expect(reported.item()).toBeCloseTo(reference.linearCrossEntropy(inputs[0]!, inputs[1]!, labels)[0].item(), N > 1 ? 2 : 5);
});

test("linearCrossEntropy says which label is outside of the vocabulary", () => {
  expect(() => fused.linearCrossEntropy(torch.ones([2, 3]), torch.ones([4, 3]), tensor([1n, 4n]))).toThrow(
    /label 4 at position 1 is outside of the vocabulary of 4/,
  );
});

test("a uniform model costs log V per token", () => {
  const [loss] = fused.linearCrossEntropy(torch.zeros([10, 4]), torch.zeros([256, 4]), torch.zeros([10], { dtype: "int64" }));
  expect(loss.item()).toBeCloseTo(10 * Math.log(256), 4);
});

test("documentAttention equals masked attention, and no document sees another", () => {
  manualSeed(3);
  const segments = [0, 0, 9, 0, 9, 10, 0, 10, 37, 1, 0, 37];
  const inputs = [random(2, 3, 37, 8), random(2, 3, 37, 8), random(2, 3, 37, 8)];
  const scale = 8 ** -0.5;
  expectAgreement(
    (q, k, v) => fused.documentAttention(q!, k!, v!, segments, scale),
    (q, k, v) => reference.documentAttention(q!, k!, v!, segments, scale),
    inputs,
    1e-4,
    1e-5,
  );
  const before = fused.documentAttention(inputs[0]!, inputs[1]!, inputs[2]!, segments, scale);
  const changed = inputs.map((input) =>
    input
      .detach()
      .clone()
      .assign([0, ":", [0, 9]], 7),
  );
  const after = fused.documentAttention(changed[0]!, changed[1]!, changed[2]!, segments, scale);
  expect(after.at(0, ":", [9, 37]).equal(before.at(0, ":", [9, 37]))).toBe(true);
  expect(after.at(1).equal(before.at(1))).toBe(true);
  expect(() => fused.documentAttention(inputs[0]!, inputs[1]!, inputs[2]!, [0, 0, 9], scale)).toThrow(/cover 9 of 74 positions/);
});

test.each([
  [1, 1, 1, 8],
  [6, 2, 64, 16],
  [3, 1, 65, 20],
  [4, 4, 700, 33],
  [2, 1, 1100, 64],
])("documentAttention with %i heads on %i key-value heads, %i positions, head size %i", (H, K, T, E) => {
  manualSeed(T);
  const cut = Math.ceil(T / 3);
  const segments = T === 1 ? [0, 0, 1] : [0, 0, cut, 0, cut, T];
  expectAgreement(
    (q, k, v) => fused.documentAttention(q!, k!, v!, segments, 0.2),
    (q, k, v) => reference.documentAttention(q!, k!, v!, segments, 0.2),
    // As the model gives them: heads inside positions in memory.
    [H, K, K].map((heads) => torch.randn([1, T, heads, E]).transpose(1, 2).requiresGrad_()),
    1e-4,
    1e-5,
  );
});

test("globalNorm and adamw equal libtorch's", () => {
  manualSeed(4);
  const shapes = [[3], [70_000], [33, 5]];
  const make = () => shapes.map((shape) => torch.randn(shape));
  const [weights, gradients, firsts] = [make(), make(), make()];
  const seconds = make().map((t) => t.square());
  expect(fused.globalNorm(gradients).item()).toBeCloseTo(
    Math.sqrt(gradients.reduce((sum, g) => sum + g.double().square().sum().item(), 0)),
    3,
  );
  const copies = [weights, firsts, seconds].map((list) => list.map((t) => t.clone()));
  const scaled = gradients.map((g) => g.mul(0.25));
  torch._fusedAdamw_(
    copies[0]!,
    scaled,
    copies[1]!,
    copies[2]!,
    [],
    shapes.map(() => tensor(7, { dtype: "float32" })),
    {
      lr: 0.01,
      beta1: 0.9,
      beta2: 0.95,
      weightDecay: 0.1,
      eps: 1e-8,
      amsgrad: false,
      maximize: false,
    },
  );
  fused.adamw(weights, gradients, firsts, seconds, 0.01, 0.9, 0.95, 1e-8, 0.1, 7, 0.25);
  for (const [i, weight] of weights.entries()) expect(weight.isClose(copies[0]![i]!, { relative: 1e-5, absolute: 1e-6 })).toBe(true);
  for (const [i, second] of seconds.entries()) expect(second.isClose(copies[2]![i]!, { relative: 1e-5 })).toBe(true);
});
