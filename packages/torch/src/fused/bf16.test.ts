/** The fused operators in bfloat16 against their references, with products of both kinds; copies of weights; 20 steps of a decoder. */
import { expect, onTestFinished, test } from "vitest";
import { readGolden } from "../../test/golden.ts";
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

// V vocabulary · D hidden · L layers · H heads · K key-value heads · E head size · F feed-forward · B batch · T positions
const [V, D, L, H, K, E, F, B, T] = [64, 32, 4, 4, 2, 8, 48, 2, 12] as const;
const shapes: [string, number[]][] = [
  ["embed", [V, D]],
  ...Array.from({ length: L }, (_, l): [string, number[]][] => [
    [`${l}.norm1`, [D]],
    [`${l}.q`, [H * E, D]],
    [`${l}.k`, [K * E, D]],
    [`${l}.v`, [K * E, D]],
    [`${l}.o`, [D, H * E]],
    [`${l}.norm2`, [D]],
    [`${l}.gate`, [F, D]],
    [`${l}.up`, [F, D]],
    [`${l}.down`, [D, F]],
  ]).flat(),
  ["norm", [D]],
  ["head", [V, D]],
];

function fusedLoss(weights: ReadonlyMap<string, Tensor>, ids: Tensor): Tensor {
  const w = (name: string) => weights.get(name)!;
  const frequencies = torch.pow(10000, torch.arange(0, E, 2, { dtype: "float32" }).div(-E));
  const half = torch.arange(T, { dtype: "float32" }).view([T, 1]).mul(frequencies);
  const angles = torch.cat([half, half], -1).unsqueeze(0); // [1,T,E]
  const heads = (x: Tensor, name: string) => fused.linear(x, w(name), null).view([B, T, -1, E]);
  const turned = (x: Tensor) => fused.rope(x, angles.cos(), angles.sin()).transpose(1, 2);
  const rows = Array.from({ length: B }, (_, row) => [row, 0, T]).flat();
  let hidden = torch.embedding(w("embed"), ids.slice(1, 0, T));
  for (let l = 0; l < L; l++) {
    const x = fused.rmsNorm(hidden, w(`${l}.norm1`), 1e-6);
    const [q, k, v] = [turned(heads(x, `${l}.q`)), turned(heads(x, `${l}.k`)), heads(x, `${l}.v`).transpose(1, 2)];
    const mixed = fused
      .documentAttention(q, k, v, rows, E ** -0.5)
      .transpose(1, 2)
      .reshape([B, T, H * E]);
    const [sum, normed] = fused.addRmsNorm(fused.linear(mixed, w(`${l}.o`), null), hidden, w(`${l}.norm2`), 1e-6);
    const product = fused.swiglu(fused.linear(normed, w(`${l}.gate`), null), fused.linear(normed, w(`${l}.up`), null));
    hidden = sum.add(fused.linear(product, w(`${l}.down`), null));
  }
  const flat = fused.rmsNorm(hidden, w("norm"), 1e-6).view([B * T, D]);
  return fused.linearCrossEntropy(flat, w("head"), ids.slice(1, 1, T + 1).reshape([-1]))[0].div(B * T);
}

interface Step {
  readonly loss: number;
  readonly norms: readonly number[];
}

test.each([
  ["float32", 0, 2e-5, 2e-5, 2e-5],
  ["bfloat16", 0, 0.01, 0.02, 0.25],
  ["bfloat16", 1, 0.01, 0.02, 0.25],
] as const)("20 steps of a fused decoder against PyTorch in %s, products %i", (dtype, kind, lossTolerance, firstNorms, laterNorms) => {
  withProducts(kind);
  const expected = readGolden<{ decoder: Record<"float32" | "bfloat16", Step[]> }>("training").decoder[dtype];
  manualSeed(42);
  const weights = new Map(
    shapes.map(([name, shape]) => [name, nn.parameter(name.includes("norm") ? torch.ones(shape) : torch.randn(shape).mul(0.15))]),
  );
  const parameters = [...weights.values()];
  const optimizer = new optim.AdamW(parameters, { learningRate: 3e-3, weightDecay: 0.1, beta1: 0.9, beta2: 0.95 });
  const relative = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);
  // A rounding that falls the other way grows through the updates: later steps agree less closely than the first.
  for (const [step, { loss, norms }] of expected.entries()) {
    scope(() => {
      const ids = torch.randint(0, V, [B, T + 1], { dtype: "int64" }).floorDivide(2);
      const ours = autocast({ dtype: "bfloat16", enabled: dtype === "bfloat16" }, () => fusedLoss(weights, ids));
      optimizer.zeroGrad();
      ours.backward();
      expect(relative(ours.item(), loss), `loss of step ${step}`).toBeLessThan(lossTolerance);
      for (const [i, parameter] of parameters.entries())
        expect(relative(parameter.grad!.norm().item(), norms[i]!), `${shapes[i]![0]} at step ${step}`).toBeLessThan(
          step === 0 ? firstNorms : laterNorms,
        );
      optimizer.step();
    });
  }
});
