/** The fused operators in bfloat16 against their references, with products of both kinds; copies of weights. */
import { expect, onTestFinished, test } from "vitest";
import { autocast, grad, keep, manualSeed, nn, noGrad, optim, scope, type Tensor, torch } from "../index.ts";
import { operator } from "../operators.ts";
import * as fused from "./index.ts";

const { reference } = fused;
const bf16 = <R>(body: () => R) => autocast({ dtype: "bfloat16" }, body);
const random = (...shape: number[]) => torch.randn(shape).requiresGrad_();
const rounded = (...shape: number[]) => torch.randn(shape).bfloat16().requiresGrad_();

/** 0: products from widened float32; 1: libtorch's own. */
const kinds = [0, 1] as const;
function withProducts(kind: (typeof kinds)[number]): void {
  const choose = operator("perennial::choose_bf16_products");
  choose.call(undefined, [kind]);
  onTestFinished(() => void choose.call(undefined, [-1]));
}

/** Largest difference relative to the largest element: bfloat16 keeps 8 bits, so 2⁻⁸ is one rounding. */
const distance = (a: Tensor, b: Tensor) => a.float().sub(b.float()).abs().max().item() / Math.max(b.float().abs().max().item(), 1e-30);

/** Value and every gradient of both, inside autocast to bfloat16, within `roundings` of bfloat16. */
function expectNear(fast: (...x: Tensor[]) => Tensor, plain: typeof fast, inputs: readonly Tensor[], roundings = 3): void {
  scope(() => {
    const run = (f: typeof fast) => {
      const output = bf16(() => f(...inputs));
      manualSeed(99);
      const total = output.float().mul(torch.randn(output.shape)).sum();
      return { output, grads: grad(total, inputs) as Tensor[] };
    };
    const [a, b] = [run(fast), run(plain)];
    expect(a.output.dtype).toBe(b.output.dtype);
    expect(distance(a.output, b.output), "output").toBeLessThan(roundings / 256);
    for (const [i, gradient] of a.grads.entries()) {
      expect(gradient.dtype, `dtype of gradient ${i}`).toBe(inputs[i]!.dtype);
      expect(distance(gradient, b.grads[i]!), `gradient ${i}`).toBeLessThan(roundings / 256);
    }
  });
}

test.each(kinds)("linear: float32 or bfloat16 rows, with and without bias, products %i", (kind) => {
  withProducts(kind);
  manualSeed(1);
  for (const x of [random(3, 5, 24), rounded(3, 5, 24)]) {
    expectNear(
      (x, w) => fused.linear(x!, w!, null),
      (x, w) => reference.linear(x!, w!, null),
      [x, random(7, 24)],
    );
    expectNear(
      (x, w, b) => fused.linear(x!, w!, b!),
      (x, w, b) => reference.linear(x!, w!, b!),
      [x, random(7, 24), random(7)],
    );
  }
});

test.each(kinds)("linears: every output and the summed gradient, products %i", (kind) => {
  withProducts(kind);
  manualSeed(7);
  for (const x of [random(3, 5, 24), rounded(3, 5, 24)])
    expectNear(
      (x, ...weights) => torch.cat(fused.linears(x!, weights), -1),
      (x, ...weights) => torch.cat(reference.linears(x!, weights), -1),
      [x, random(7, 24), random(9, 24)],
    );
});

test("rmsNorm and addRmsNorm give bfloat16 inside autocast, the sum stays float32", () => {
  manualSeed(2);
  expectNear(
    (x, w) => fused.rmsNorm(x!, w!, 1e-5),
    (x, w) => reference.rmsNorm(x!, w!, 1e-5),
    [random(37, 65), random(65)],
  );
  for (const x of [random(37, 65), rounded(37, 65)]) {
    const inputs = [x, random(37, 65), random(65)];
    const both = ([sum, normed]: [Tensor, Tensor]) => {
      expect([sum.dtype, normed.dtype]).toEqual(["float32", "bfloat16"]);
      return sum.add(normed);
    };
    expectNear(
      (x, z, w) => both(fused.addRmsNorm(x!, z!, w!, 1e-5)),
      (x, z, w) => both(reference.addRmsNorm(x!, z!, w!, 1e-5)),
      inputs,
    );
  }
});

test("swiglu and rope in bfloat16", () => {
  manualSeed(3);
  expectNear(
    (g, u) => fused.swiglu(g!, u!),
    (g, u) => reference.swiglu(g!, u!),
    [rounded(40_001), rounded(40_001)],
  );
  const half = torch.randn([1, 11, 8]).mul(3);
  const angles = torch.cat([half, half], -1);
  expectNear(
    (x) => fused.rope(x!, angles.cos(), angles.sin()),
    (x) => reference.rope(x!, angles.cos(), angles.sin()),
    [rounded(3, 11, 5, 16)],
  );
});

test.each(kinds)("linearCrossEntropy: hidden states in bfloat16, a float32 weight, ignored labels, products %i", (kind) => {
  withProducts(kind);
  manualSeed(4);
  const labels = torch.randint(301, [300]).long();
  labels.assign([[0, 300, 7]], -100);
  const hidden = rounded(300, 32);
  const weight = torch.randn([301, 32]).mul(0.3).requiresGrad_();
  expectNear(
    (h, w) => fused.linearCrossEntropy(h!, w!, labels, { zLoss: 1e-3 })[0],
    (h, w) => reference.linearCrossEntropy(h!, w!, labels, { zLoss: 1e-3 })[0],
    [hidden, weight],
  );
});

test("documentAttention in bfloat16, with fewer key-value heads", () => {
  manualSeed(5);
  const segments = [0, 0, 9, 0, 9, 10, 0, 10, 133, 1, 0, 133];
  expectNear(
    (q, k, v) => fused.documentAttention(q!, k!, v!, segments, 0.3),
    (q, k, v) => reference.documentAttention(q!, k!, v!, segments, 0.3),
    [rounded(2, 4, 133, 24), rounded(2, 2, 133, 24), rounded(2, 2, 133, 24)],
    6, // the reference rounds the probabilities as well
  );
});

test("the copy of a weight follows every change, and AdamW writes it with the weight", () => {
  scope(() => {
    manualSeed(6);
    const weight = nn.parameter(keep(torch.randn([33, 9])));
    const eye = torch.eye(9);
    const seen = () => bf16(() => noGrad(() => fused.linear(eye, weight, null))).t();
    const expectCurrent = () => expect(seen().equal(weight.detach().bfloat16())).toBe(true);
    expectCurrent();
    noGrad(() => weight.mul_(1.7));
    expectCurrent();
    const optimizer = new optim.AdamW([weight], { learningRate: 0.1 });
    for (let i = 0; i < 3; i++) {
      bf16(() => fused.linear(eye, weight, null))
        .float()
        .square()
        .sum()
        .backward();
      const before = weight.detach().clone();
      optimizer.step().zeroGrad();
      expect(weight.equal(before)).toBe(false);
      expectCurrent();
    }
    bf16(() => fused.linear(eye, weight, null))
      .float()
      .square()
      .sum()
      .backward();
    new optim.SGD([weight], { learningRate: 0.1 }).step();
    expectCurrent();
  });
});

test("a weight that changes between forward and backward is an error", () => {
  scope(() => {
    const weight = torch.randn([4, 3]).requiresGrad_();
    const y = bf16(() => fused.linear(torch.randn([2, 3]).requiresGrad_(), weight, null));
    noGrad(() => weight.mul_(2));
    expect(() => y.float().sum().backward()).toThrow(/modified by an inplace operation/);
  });
});
