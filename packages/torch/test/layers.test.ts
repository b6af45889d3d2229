/** Layers against PyTorch's: initialization from the same seed, output and gradients; losses; attention; autocast. */
import { expect, test } from "vitest";
import { autocast, type Device, manualSeed, nn, noGrad, scope, type Tensor, tensor, torch } from "../src/index.ts";
import { closeOn, forEachDevice } from "./devices.ts";
import { decodeTensor, difference, type GoldenTensor, readGolden, wave } from "./golden.ts";

const tight = { relative: 1e-5, absolute: 2e-6 };
type Layer = nn.Module & { forward(x: Tensor): Tensor };

const waves = <T extends nn.Module>(module: T): T => {
  noGrad(() => {
    for (const [k, parameter] of module.parameters.entries()) parameter.copy_(wave(parameter.shape, k));
  });
  return module;
};

const builders: Record<string, () => Layer> = {
  linear: () => new nn.Linear(5, 3),
  linearWithoutBias: () => new nn.Linear(20, 4, { bias: false }),
  embedding: () => new nn.Embedding(6, 4),
  embeddingWithPadding: () => new nn.Embedding(6, 4, { paddingIdx: 3 }),
  layerNorm: () => waves(new nn.LayerNorm(6)),
  layerNormWithoutBias: () => waves(new nn.LayerNorm([3, 6], { eps: 1e-3, bias: false })),
  rmsNorm: () => waves(new nn.RMSNorm(6, { eps: 1e-6 })),
  dropout: () => new nn.Dropout(0.4),
  conv1d: () => new nn.Conv1d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }),
  conv2d: () => new nn.Conv2d(2, 3, [2, 3], { padding: [1, 0], dilation: [1, 2], bias: false }),
  gelu: () => new nn.GELU(),
  geluTanh: () => new nn.GELU("tanh"),
  silu: () => new nn.SiLU(),
  sequential: () => new nn.Sequential(new nn.Linear(4, 8), new nn.GELU(), new nn.Linear(8, 2)),
};

interface LayerCase {
  name: string;
  state: Record<string, GoldenTensor>;
  x: GoldenTensor;
  y: GoldenTensor;
  gradX: GoldenTensor | null;
  grads: Record<string, GoldenTensor>;
}
const cases = readGolden<LayerCase[]>("layers");

test("every layer is compared", () => expect(cases.map(({ name }) => name).sort()).toEqual(Object.keys(builders).sort()));

interface Training {
  losses: Record<string, { y: GoldenTensor; gradient: GoldenTensor }>;
  attention: Record<string, { y: GoldenTensor; grads: GoldenTensor[] }>;
  autocast: Record<"first" | "logits" | "probabilities" | "plain", GoldenTensor> & {
    loss: number;
    lossDtype: string;
    grads: GoldenTensor[];
  };
}
const training = readGolden<Training>("training");

const lossesOn = (device: Device): Record<string, (x: Tensor, soft: Tensor, reduction: nn.Reduction) => Tensor> => {
  const labels = () => tensor([0, 3, -100, 1, 2, 2], { dtype: "int64", device });
  const weight = () => tensor([1, 0.5, 2, 0.25], { device });
  return {
    crossEntropy: (x, _, reduction) => nn.crossEntropy(x, labels(), { reduction }),
    crossEntropySmoothed: (x, _, reduction) => nn.crossEntropy(x, labels(), { reduction, weight: weight(), labelSmoothing: 0.1 }),
    crossEntropySoft: (x, soft, reduction) => nn.crossEntropy(x, soft, { reduction }),
    mse: (x, soft, reduction) => nn.mseLoss(x, soft, reduction),
    l1: (x, soft, reduction) => nn.l1Loss(x, soft, reduction),
    kl: (x, soft, reduction) => nn.klDivergence(x.logSoftmax(-1), soft, { reduction }),
    klLog: (x, soft, reduction) => nn.klDivergence(x.logSoftmax(-1), soft.log(), { reduction, logTarget: true }),
    binary: (x, soft, reduction) => nn.binaryCrossEntropyWithLogits(x, soft, { reduction, positiveWeight: weight() }),
  };
};

forEachDevice((device) => {
  const close = closeOn(device, tight);
  const losses = lossesOn(device);

  test.each(cases)("$name: PyTorch's initialization, output and gradients", ({ name, state, x: input, y, gradX, grads }) => {
    scope(() => {
      manualSeed(7);
      const layer = builders[name]!();
      const own = layer.stateDict();
      // PyTorch names the children of a Sequential by number alone.
      const ours = (key: string) => (name === "sequential" ? `layers.${key}` : key);
      expect([...own.keys()].sort()).toEqual(Object.keys(state).map(ours).sort());
      for (const [key, value] of Object.entries(state)) expect(difference(own.get(ours(key)), value, tight, key)).toBeUndefined();
      layer.to({ device });
      const placed = layer.stateDict();
      const x = decodeTensor(input).to(device);
      if (gradX !== null) x.requiresGrad_();
      manualSeed(8);
      const output = layer.forward(x);
      // A dropout draws other numbers on another device.
      if (name === "dropout" && device !== "cpu") return;
      expect(difference(output, y, close)).toBeUndefined();
      wave(output.shape, 1).to(device).mul(output).sum().backward();
      if (gradX !== null) expect(difference(x.grad, gradX, close)).toBeUndefined();
      expect(layer.namedParameters().filter(([, parameter]) => parameter.grad !== null).length).toBe(Object.keys(grads).length);
      for (const [key, value] of Object.entries(grads)) expect(difference(placed.get(ours(key))!.grad, value, close, key)).toBeUndefined();
      layer.dispose();
    });
  });

  test.each(Object.entries(training.losses))("loss %s", (name, { y, gradient }) => {
    scope(() => {
      const [kind, reduction] = name.split("/") as [string, nn.Reduction];
      const x = wave([6, 4], 0).mul(2).to(device).requiresGrad_();
      const loss = losses[kind]!(x, wave([6, 4], 2).softmax(-1).to(device), reduction);
      expect(difference(loss, y, close)).toBeUndefined();
      wave(loss.shape, 1).to(device).mul(loss).sum().backward();
      expect(difference(x.grad, gradient, close)).toBeUndefined();
    });
  });

  test.each(Object.entries(training.attention))("attention with %s, four heads on two key-value heads", (name, { y, grads }) => {
    scope(() => {
      const shapes = [
        [2, 4, 5, 8],
        [2, 2, 5, 8],
        [2, 2, 5, 8],
      ];
      const [q, k, v] = shapes.map((shape, i) => wave(shape, i).to(device).requiresGrad_()) as [Tensor, Tensor, Tensor];
      const column = torch.arange(5, { device });
      const row = column.view([5, 1]);
      const mask = row.ge(column).logicalAnd(row.sub(column).lt(3));
      const options = { causal: { causal: true }, mask: { mask }, bias: { mask: wave([5, 5], 3).to(device) }, scale: { scale: 0.5 } }[
        name
      ]!;
      const output = nn.scaledDotProductAttention(q, k, v, options);
      expect(difference(output, y, close)).toBeUndefined();
      wave(output.shape, 1).to(device).mul(output).sum().backward();
      for (const [i, leaf] of [q, k, v].entries()) expect(difference(leaf.grad, grads[i]!, close)).toBeUndefined();
    });
  });

  test("autocast to bfloat16: dtypes, values, gradients, and none of it inside enabled: false", () => {
    scope(() => {
      const golden = training.autocast;
      manualSeed(3);
      const net = new nn.Sequential(new nn.Linear(16, 32), new nn.GELU(), new nn.LayerNorm(32), new nn.Linear(32, 5)).to({ device });
      const x = wave([6, 16], 0).to(device);
      const labels = tensor([0, 1, 2, 3, 4, 0], { dtype: "int64", device });
      // One unit of bfloat16 may fall on the other side where another kernel sums in another order.
      const half = { relative: 2 ** -7, absolute: 2 ** -7 };
      const loss = autocast({ device, dtype: "bfloat16" }, () => {
        expect(difference(net.layers[0]!.forward(x), golden.first, half)).toBeUndefined();
        const logits = net.forward(x);
        expect(difference(logits, golden.logits, half)).toBeUndefined();
        expect(difference(logits.softmax(-1), golden.probabilities, half)).toBeUndefined();
        const plain = autocast({ device, enabled: false }, () => net.layers[0]!.forward(x));
        expect(difference(plain, golden.plain, close)).toBeUndefined();
        expect(net.layers[0]!.forward(x).dtype).toBe("bfloat16");
        return nn.crossEntropy(logits, labels);
      });
      expect(net.layers[0]!.forward(x).dtype).toBe("float32");
      expect(loss.dtype).toBe(golden.lossDtype);
      expect(Math.abs(loss.item() - golden.loss)).toBeLessThan(0.01);
      loss.backward();
      for (const [i, parameter] of net.parameters.entries())
        expect(difference(parameter.grad, golden.grads[i]!, { relative: 0.03, absolute: 0.003 })).toBeUndefined();
      net.dispose();
    });
  });
});
