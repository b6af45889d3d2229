/** Every optimizer against PyTorch's, step for step over 50 steps; states that travel; errors. */
import { expect, test } from "vitest";
import { type Device, nn, optim, scope, type Tensor, torch } from "../src/index.ts";
import { closeOn, forEachDevice } from "./devices.ts";
import { difference, type GoldenTensor, readGolden, wave } from "./golden.ts";

interface OptimizerCase {
  optimizer: keyof typeof makers;
  settings: Record<string, number | boolean>;
  shapes: number[][];
  /** The last parameter has no gradient before step 4, and none in every fifth step. */
  late?: true;
  snapshots: Record<string, GoldenTensor[]>;
}
const makers = { AdamW: optim.AdamW, SGD: optim.SGD, Adafactor: optim.Adafactor, Muon: optim.Muon } as const;
type AnyOptimizer = optim.AdamW | optim.SGD | optim.Adafactor | optim.Muon;
const make = (name: keyof typeof makers, parameters: Tensor[], settings: object): AnyOptimizer => new makers[name](parameters, settings);

const cases = readGolden<OptimizerCase[]>("optimizers");
const startOf = (shapes: number[][], device: Device = "cpu") => shapes.map((shape, p) => nn.parameter(wave(shape, 2 + p).to(device)));
const setGradients = (parameters: readonly Tensor[], step: number, late = false) => {
  for (const [p, parameter] of parameters.entries())
    parameter.grad = wave(parameter.shape, 1.3 * step + p)
      .mul(1 + (step % 3))
      .to(parameter.device);
  if (late && (step < 4 || step % 5 === 0)) parameters.at(-1)!.grad = null;
};
// Muon works in bfloat16, whose last bit depends on the order of summation.
const closeness = (name: string) => (name === "Muon" ? { relative: 1e-2, absolute: 2e-3 } : { relative: 1e-5, absolute: 1e-6 });

forEachDevice((device) => {
  test.each(cases)(
    "$optimizer $settings, late: $late, equals PyTorch's after 1, 2, 10 and 50 steps",
    ({ optimizer: name, settings, shapes, late, snapshots }) => {
      const parameters = startOf(shapes, device);
      const optimizer = make(name, parameters, settings);
      for (let step = 1; step <= 50; step++) {
        scope(() => {
          setGradients(parameters, step, late);
          optimizer.step();
          for (const [p, golden] of (snapshots[step] ?? []).entries())
            expect(difference(parameters[p], golden, closeOn(device, closeness(name)), `step ${step}, parameter ${p}`)).toBeUndefined();
        });
      }
      expect(Object.keys(snapshots)).toEqual(["1", "2", "10", "50"]);
      optimizer.dispose();
    },
  );

  test.each(cases)(
    "$optimizer $settings, late: $late: stop at 5, restore, go on to 10 = 10 without a stop, bit for bit",
    ({ optimizer: name, settings, shapes, late }) => {
      const run = (parameters: Tensor[], optimizer: AnyOptimizer, from: number, to: number) => {
        for (let step = from; step <= to; step++)
          scope(() => {
            setGradients(parameters, step, late);
            optimizer.step();
          });
      };
      const whole = startOf(shapes, device);
      run(whole, make(name, whole, settings), 1, 10);
      const stopped = startOf(shapes, device);
      const first = make(name, stopped, settings);
      run(stopped, first, 1, 5);
      const resumed = stopped.map((tensor) => nn.parameter(tensor.detach().clone()));
      const second = make(name, resumed, {});
      second.restore(first.state());
      expect(second.stepCount).toBe(5);
      run(resumed, second, 6, 10);
      for (const [p, tensor] of whole.entries()) expect(resumed[p]!.equal(tensor)).toBe(true);
    },
  );
});

test.each(["AdamW", "SGD", "Adafactor", "Muon"] as const)("%s: gradScale on the way equals gradients scaled before", (name) => {
  const [a, b] = [startOf([[4, 6]]), startOf([[4, 6]])];
  const [first, second] = [make(name, a, {}), make(name, b, {})];
  for (let step = 1; step <= 3; step++)
    scope(() => {
      setGradients(a, step);
      first.step({ gradScale: 0.5 });
      setGradients(b, step);
      b[0]!.grad = b[0]!.grad!.mul(0.5);
      second.step();
    });
  expect(a[0]!.isClose(b[0]!, { relative: 1e-6, absolute: 1e-7 })).toBe(true);
});

test("AdamW with its steps and rates in tensors makes the same steps, and its state travels", () => {
  const shapes = [[4, 6], [5]];
  const [a, b] = [startOf(shapes), startOf(shapes)];
  const [plain, capturable] = [new optim.AdamW(a), new optim.AdamW(b, { capturable: true })];
  for (let step = 1; step <= 6; step++)
    scope(() => {
      for (const [parameters, optimizer] of [
        [a, plain],
        [b, capturable],
      ] as const) {
        optimizer.learningRate = 0.01 / step;
        setGradients(parameters, step, true);
        optimizer.step();
      }
    });
  for (const [p, tensor] of a.entries()) expect(b[p]!.isClose(tensor, { relative: 1e-6 })).toBe(true);
  const state = capturable.state();
  expect(state.tensors.get("0.0.step")!.item()).toBe(6);
  expect(state.tensors.get("0.1.step")!.item()).toBe(2);
  const again = new optim.AdamW(startOf([[4, 6], [5]]), { capturable: true });
  again.restore(state);
  expect(again.state().tensors.get("0.1.step")!.item()).toBe(2);
});

test("a state that does not fit is refused and changes nothing", () => {
  const [small, large] = [startOf([[3]]), startOf([[4]])];
  const [from, to] = [new optim.AdamW(small, { learningRate: 5 }), new optim.AdamW(large, { learningRate: 1 })];
  setGradients(small, 1);
  from.step();
  expect(() => to.restore(from.state())).toThrow("missing nothing, unexpected nothing, of another shape 0.0.expAvg, 0.0.expAvgSq");
  expect(() => to.restore({ ...from.state(), tensors: new Map() })).toThrow("missing 0.0.expAvg, 0.0.expAvgSq, unexpected nothing");
  expect(to.groups[0]!.learningRate).toBe(1);
  expect(to.stepCount).toBe(0);
});

test("a group that has not moved yet has no state, and loses what it has when an earlier state comes back", () => {
  const groups = () => startOf([[3], [2]]).map((parameter) => ({ parameters: [parameter] }));
  const from = new optim.AdamW(groups());
  setGradients([from.groups[1]!.parameters[0]!], 1);
  from.step();
  const early = from.state();
  expect([...early.tensors.keys()]).toEqual(["1.0.expAvg", "1.0.expAvgSq"]);
  const to = new optim.AdamW(groups());
  setGradients(
    to.groups.flatMap(({ parameters }) => parameters),
    2,
  );
  to.step();
  expect(to.state().tensors.size).toBe(4);
  to.restore(early);
  expect([...to.state().tensors.keys()]).toEqual([...early.tensors.keys()]);
  expect(to.state().parameterSteps).toEqual([[0], [1]]);
  expect(() => to.restore({ ...early, parameterSteps: [[1], [1]] })).toThrow("missing 0.0.expAvg, 0.0.expAvgSq");
});

test("each group keeps its own settings, and parameters without a gradient stay as they are", () => {
  const [fast, slow, idle] = startOf([[4], [4], [4]]) as [Tensor, Tensor, Tensor];
  const before = [fast, slow, idle].map((tensor) => tensor.detach().clone());
  const optimizer = new optim.SGD([
    { parameters: [fast], learningRate: 1 },
    { parameters: [slow, idle], name: "slow", learningRate: 0.1 },
  ]);
  fast.grad = torch.ones([4]);
  slow.grad = torch.ones([4]);
  optimizer.step();
  expect(fast.isClose(before[0]!.sub(1))).toBe(true);
  expect(slow.isClose(before[1]!.sub(0.1))).toBe(true);
  expect(idle.equal(before[2]!)).toBe(true);
  optimizer.zeroGrad();
  expect(fast.grad).toBeNull();
});

test("clipping by the common norm, and what it returns", () => {
  const parameters = startOf([[3], [2, 2]]);
  parameters[0]!.grad = torch.full([3], 2.5).mul(0.8);
  parameters[1]!.grad = torch.ones([2, 2]);
  expect(optim.clipGradNorm(parameters, 2).item()).toBeCloseTo(4, 5);
  expect(parameters[0]!.grad!.toArray()).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5), expect.closeTo(1, 5)]);
  expect(optim.gradNorm(parameters).item()).toBeCloseTo(2, 5);
  expect(optim.clipGradNorm(parameters, 5).item()).toBeCloseTo(2, 5);
  expect(optim.gradNorm(parameters).item()).toBeCloseTo(2, 5);
});

test("settings and parameters that cannot work are refused", () => {
  const [vector, matrix] = startOf([[3], [2, 3]]) as [Tensor, Tensor];
  expect(() => new optim.Muon([vector])).toThrow("expected matrices, received shape [3] at 0 in group0; give it to AdamW");
  expect(() => new optim.Adafactor([matrix], { beta2Decay: 0.5 })).toThrow(RangeError);
  expect(() => new optim.AdamW([matrix], { beta1: 1 })).toThrow(RangeError);
  expect(() => new optim.SGD([matrix], { nesterov: true })).toThrow(RangeError);
  expect(() => new optim.SGD([])).toThrow("there are no parameters");
  expect(() => new optim.SGD([matrix, matrix])).toThrow("appears twice");
  expect(() => new optim.SGD([matrix.mul(2)])).toThrow("is not a leaf");
});
