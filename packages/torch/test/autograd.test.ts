/** Gradients beyond one backward: higher orders, hooks, functions of our own, checkpoints, modes, and errors on the way. */
import { expect, test } from "vitest";
import {
  autocast,
  backward,
  checkpoint,
  customFunction,
  enableGrad,
  grad,
  gradientError,
  inferenceMode,
  isGradEnabled,
  keep,
  liveTensors,
  manualSeed,
  nn,
  noGrad,
  scope,
  type Tensor,
  tensor,
  torch,
} from "../src/index.ts";
import { forEachDevice } from "./devices.ts";
import { wave } from "./golden.ts";

const leaf = (data: number[]) => tensor(data, { dtype: "float64" }).requiresGrad_();
const scoped = (name: string, body: () => void) => test(name, () => void scope(body));

scoped("derivatives of derivatives: x⁴ → 4x³ → 12x² → 24x", () => {
  const x = leaf([2, -3]);
  let y = x.pow(4);
  const found: unknown[] = [];
  for (let order = 0; order < 3; order++) {
    y = grad(y.sum(), [x], { createGraph: true })[0]!;
    found.push(y.toArray());
  }
  expect(found).toEqual([
    [32, -108],
    [48, 108],
    [48, -72],
  ]);
});

scoped("a gradient penalty reaches the leaves through backward({ createGraph })", () => {
  const [w, x] = [leaf([3]), leaf([2])];
  const [slope] = grad(w.mul(x).mul(x), [x], { createGraph: true }); // 2wx
  slope!.square().sum().backward(); // 4w²x²
  expect(w.grad!.item()).toBe(8 * 3 * 4);
  expect(x.grad!.item()).toBe(8 * 9 * 2);
});

scoped("a graph is used once unless it is retained; unused inputs are named or null", () => {
  const [x, other] = [leaf([2]), leaf([1])];
  const y = x.exp();
  y.backward({ retainGraph: true });
  y.backward();
  expect(x.grad!.item()).toBeCloseTo(2 * Math.exp(2), 12);
  expect(() => y.backward()).toThrow("backward through the graph a second time");
  expect(() => grad(x.mul(2), [other])).toThrow("appears to not have been used in the graph");
  expect(grad(x.mul(2), [other], { allowUnused: true })).toEqual([null]);
  expect(() =>
    x
      .mul(2)
      .add(leaf([1, 2]))
      .backward(),
  ).toThrow("grad can be implicitly created only for scalar outputs");
  expect(() => tensor([1]).backward()).toThrow("does not require grad");
});

scoped("several outputs with gradients of their own", () => {
  const x = leaf([1, 2]);
  backward([x.mul(2), x.square()], [tensor([1, 10], { dtype: "float64" }), tensor([1, 1], { dtype: "float64" })]);
  expect(x.grad!.toArray()).toEqual([4, 24]);
});

scoped("a hook sees and replaces the gradient; one after accumulation sees the sum", () => {
  const x = leaf([1, 2]);
  const seen: unknown[] = [];
  const inner = x.mul(3);
  inner.registerHook((gradient) => {
    seen.push(gradient.toArray());
    return gradient.mul(10);
  });
  inner.registerHook(() => undefined);
  x.registerPostAccumulateGradHook((same) => {
    seen.push(same.grad!.toArray());
    same.grad = null;
  });
  inner.sum().backward();
  expect(seen).toEqual([
    [1, 1],
    [30, 30],
  ]);
  expect(x.grad).toBeNull();
  expect(() => x.mul(2).registerPostAccumulateGradHook(() => {})).toThrow("only a leaf accumulates a gradient");
});

scoped("what a hook throws comes out of backward as the very same error, and nothing stays broken", () => {
  const failure = new RangeError("from the hook");
  for (const place of ["hook", "post", "custom"] as const) {
    const x = leaf([1]);
    const fail = () => {
      throw failure;
    };
    let y = x.mul(2);
    if (place === "hook") y.registerHook(fail);
    else if (place === "post") x.registerPostAccumulateGradHook(fail);
    else [y] = customFunction([x], () => [x.mul(2)], fail);
    let caught: unknown;
    try {
      y.sum().backward();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(failure);
    const z = leaf([3]);
    z.square().sum().backward();
    expect(z.grad!.item()).toBe(6);
  }
});

scoped("a function with its own backward: values, gradients, null, and results that cannot be", () => {
  const [x, w] = [leaf([1, 2]), leaf([3, 4])];
  const product = (gradientOf: (g: Tensor) => (Tensor | null)[]) =>
    customFunction(
      [x, w],
      () => [x.mul(w)],
      ([g]) => gradientOf(g!),
    )[0];
  product((g) => [g.mul(w).mul(100), null])
    .sum()
    .backward();
  expect(x.grad!.toArray()).toEqual([300, 400]);
  expect(w.grad).toBeNull();
  expect(() =>
    product((g) => [g])
      .sum()
      .backward(),
  ).toThrow("backward returned 1 gradients for 2 inputs");
  expect(() =>
    product(() => [tensor([1, 2, 3]), null])
      .sum()
      .backward(),
  ).toThrow("invalid gradient at index 0");
  const [a, b] = customFunction(
    [x],
    () => [x.mul(2), x.mul(3)] as const,
    ([ga, gb]) => [(ga === null ? torch.zeros([2]) : ga.mul(2)).add(gb === null ? torch.zeros([2]) : gb.mul(3))],
  );
  expect(b.toArray()).toEqual([3, 6]);
  expect(grad(a.sum(), [x])[0]!.toArray()).toEqual([2, 2]);
  expect(noGrad(() => product(() => []).requiresGrad)).toBe(false);
});

forEachDevice((device) => {
  test("checkpointing: gradients bit for bit, dropout repeated, random numbers after it as without, nothing held back", () => {
    const run = (checkpointed: boolean) =>
      scope(() => {
        manualSeed(11);
        const layers = Array.from({ length: 3 }, () => new nn.Linear(8, 8).to({ device }));
        const dropout = new nn.Dropout(0.5);
        const x = wave([4, 8], 1).to(device).requiresGrad_();
        let hidden = x;
        for (const layer of layers) {
          const body = (input: Tensor) => dropout.forward(torch.gelu(layer.forward(input)));
          hidden = checkpointed ? checkpoint(body, [hidden]) : body(hidden);
        }
        const between = torch.rand([3], { device }).toArray();
        hidden.square().sum().backward();
        const gradients = [x, ...layers.flatMap((layer) => layer.parameters)].map((parameter) => parameter.grad!.toArray());
        const result = { between, after: torch.rand([3], { device }).toArray(), value: hidden.detach().toArray(), gradients };
        for (const layer of layers) layer.dispose();
        return result;
      });
    const before = liveTensors();
    expect(run(true)).toEqual(run(false));
    expect(liveTensors()).toBe(before);
  });

  scoped("a checkpoint recomputes under the autocast that it was made under", () => {
    manualSeed(5);
    const layer = new nn.Linear(16, 16).to({ device });
    const x = wave([4, 16], 1).to(device).requiresGrad_();
    const dtypes: string[] = [];
    const body = (input: Tensor) => {
      const out = layer.forward(input);
      dtypes.push(out.dtype);
      return out.gelu();
    };
    const gradientsOf = (run: () => Tensor) => {
      const leaves = [x, ...layer.parameters];
      for (const leaf of leaves) leaf.grad = null;
      autocast({ device, dtype: "bfloat16" }, run).float().square().sum().backward();
      return leaves.map((leaf) => leaf.grad!.toArray());
    };
    const plain = gradientsOf(() => body(x));
    expect(gradientsOf(() => checkpoint(body, [x]))).toEqual(plain);
    expect(dtypes).toEqual(Array(3).fill("bfloat16"));
    layer.dispose();
  });
});

scoped("a checkpoint whose inputs need no gradient still trains what is inside", () => {
  const w = leaf([2]);
  checkpoint((x) => x.mul(w).square(), [tensor([3], { dtype: "float64" })])
    .sum()
    .backward();
  expect(w.grad!.item()).toBe(36);
  expect(noGrad(() => checkpoint((x) => x.mul(w), [tensor([3], { dtype: "float64" })])).requiresGrad).toBe(false);
});

scoped("noGrad and enableGrad nest, and end with what they found, also after an error", () => {
  const x = leaf([1]);
  expect(isGradEnabled()).toBe(true);
  noGrad(() => {
    expect(x.mul(2).requiresGrad).toBe(false);
    enableGrad(() => {
      expect(x.mul(2).requiresGrad).toBe(true);
      noGrad(() => expect(isGradEnabled()).toBe(false));
      expect(isGradEnabled()).toBe(true);
    });
    expect(isGradEnabled()).toBe(false);
  });
  const fail = () => {
    throw new Error("inside");
  };
  for (const mode of [noGrad, inferenceMode]) expect(() => mode(fail)).toThrow("inside");
  expect(isGradEnabled()).toBe(true);
  expect(x.mul(2).requiresGrad).toBe(true);
});

scoped("inference tensors take no part in a graph", () => {
  const w = leaf([1, 2]);
  const inside = inferenceMode(() => {
    expect(isGradEnabled()).toBe(false);
    return inferenceMode(() => w.mul(3));
  });
  expect(inside.toArray()).toEqual([3, 6]);
  expect(inside.requiresGrad).toBe(false);
  expect(() => w.mul(inside).sum().backward()).toThrow(/[Ii]nference tensors cannot be saved for backward/);
  expect(() => inside.add_(1)).toThrow(/[Ii]nplace update to inference tensor outside InferenceMode/);
});

scoped("leaves cannot be changed in place while they are recorded; detached ones can", () => {
  const x = leaf([1, 2]);
  expect(() => x.add_(1)).toThrow("a leaf Variable that requires grad is being used in an in-place operation");
  noGrad(() => x.add_(1));
  expect(x.toArray()).toEqual([2, 3]);
  expect(x.detach().requiresGrad).toBe(false);
  expect(() => tensor([1], { dtype: "int64" }).requiresGrad_()).toThrow("floating point");
});

scoped("a gradient that is set must be like its tensor", () => {
  const x = leaf([1, 2]);
  x.grad = tensor([5, 6], { dtype: "float64" });
  expect(x.grad!.toArray()).toEqual([5, 6]);
  expect(() => {
    x.grad = tensor([1, 2]);
  }).toThrow("the gradient of float64[2] must be like it but is float32[2]");
  expect(() => {
    x.grad = tensor([1], { dtype: "float64" });
  }).toThrow("must be like it");
  x.grad = null;
  expect(x.grad).toBeNull();
});

const functions: Record<string, (x: Tensor, w: Tensor) => Tensor> = {
  product: (x, w) => x.matmul(w.t()),
  softmax: (x, w) => x.softmax(-1).mul(w),
  layerNorm: (x, w) => torch.layerNorm(x, [3], w.select(0, 0), w.select(0, 1)),
  rmsNorm: (x, w) => torch.rmsNorm(x, [3], w.select(0, 0)),
  gelu: (x, w) => torch.gelu(x).mul(w),
  silu: (x, w) => torch.silu(x).mul(w),
  attention: (x, w) => nn.scaledDotProductAttention(x.view([1, 1, 2, 3]), w.view([1, 1, 2, 3]), x.view([1, 1, 2, 3]), { causal: true }),
  crossEntropy: (x) => nn.crossEntropy(x, tensor([2, 0], { dtype: "int64" }), { labelSmoothing: 0.1 }),
  solve: (x, w) => torch.linalgSolve(x.matmul(x.t()).add(torch.eye(2, { dtype: "float64" })), w),
  convolution: (x, w) => torch.conv1d(x.view([1, 2, 3]), w.view([1, 2, 3]), null, 1, 1),
  cumulative: (x, w) => x.cumsum(1).mul(w.cumprod(0)),
  indexing: (x, w) => x.at([null, null], tensor([0, 2, 2], { dtype: "int64" })).mul(w),
  norm: (x, w) => x.norm().mul(w.logsumexp(1)),
};

test.each(Object.entries(functions))("gradient of %s agrees with differences", (_, f) => {
  const [x, w] = scope(() => [keep(wave([2, 3], 0.3).to("float64")), keep(wave([2, 3], 1.1).to("float64"))] as const);
  expect(gradientError(f, [x.requiresGrad_(), w.requiresGrad_()])).toBeLessThan(1e-7);
});

test("gradientError finds a wrong gradient", () => {
  const x = leaf([1, 2]);
  const wrong = (input: Tensor) =>
    customFunction(
      [input],
      () => [input.square()],
      ([g]) => [g!.mul(input)],
    )[0];
  expect(gradientError(wrong, [x])).toBeGreaterThan(0.3);
});
