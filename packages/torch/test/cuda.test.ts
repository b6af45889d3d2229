/** What only a GPU has: streams, events, the allocator, pinned memory, captured steps. Without one: errors that say so. */
import { expect, test } from "vitest";
import {
  autocast,
  createGenerator,
  cuda,
  customFunction,
  fused,
  generatorState,
  keep,
  liveTensors,
  manualSeed,
  nn,
  noGrad,
  optim,
  scope,
  setGeneratorState,
  type Tensor,
  torch,
} from "../src/index.ts";
import { wave } from "./golden.ts";

const onGpu = test.skipIf(!cuda.isAvailable());
const scoped = (name: string, body: () => void) => onGpu(name, () => void scope(body));

test.skipIf(cuda.isAvailable())("without a GPU every call says why there is none, and the CPU goes on", () => {
  const reason = cuda.unavailableBecause();
  expect(reason).toMatch(/driver|CUDA part/);
  expect(cuda.deviceCount()).toBe(0);
  const calls = [
    () => cuda.synchronize(),
    () => cuda.currentDevice(),
    () => cuda.deviceProperties(),
    () => new cuda.Stream(),
    () => cuda.Stream.current(),
    () => new cuda.Event(),
    () => cuda.memoryStats(),
    () => cuda.emptyCache(),
    () => cuda.capture(() => torch.ones([1])),
  ];
  for (const call of calls) expect(call).toThrow(`CUDA cannot be used: ${reason}`);
  expect(cuda.isCapturing()).toBe(false);
  for (const call of [() => torch.ones([1]).cuda(), () => createGenerator(1, "cuda")]) expect(call).toThrow();
  expect(torch.ones([2]).sum().item()).toBe(2);
});

scoped("devices describe themselves", () => {
  const { name, major, totalBytes } = cuda.deviceProperties(0);
  expect(name).not.toBe("");
  expect(major).toBeGreaterThanOrEqual(5);
  expect(totalBytes).toBeGreaterThan(2 ** 30);
  expect(cuda.withDevice(0, () => cuda.currentDevice())).toBe(0);
  expect(() => cuda.setDevice(cuda.deviceCount())).toThrow("there is no device");
  expect(torch.ones([1]).cuda().device).toBe("cuda:0");
});

scoped("a stream waits for another, and events measure", () => {
  const side = new cuda.Stream({ priority: "high" });
  const x = torch.randn([1024, 1024], { device: "cuda" });
  const [start, end] = [new cuda.Event(), new cuda.Event()];
  side.waitForStream(cuda.Stream.current());
  const y = cuda.withStream(side, () => {
    start.record(side);
    const product = x.matmul(x);
    end.record(side);
    expect(cuda.Stream.current().id).toBe(side.id);
    return product;
  });
  cuda.recordStream(x, side);
  cuda.Stream.current().waitForStream(side);
  expect(y.isClose(x.matmul(x), { relative: 1e-3, absolute: 1e-2 })).toBe(true);
  end.synchronize();
  expect(end.isDone() && side.isDone()).toBe(true);
  expect(start.elapsedMilliseconds(end)).toBeGreaterThan(0);
  start.dispose();
  expect(() => start.isDone()).toThrow("disposed");
});

scoped("the allocator counts, remembers its peak and gives memory back", () => {
  cuda.synchronize();
  cuda.resetPeakMemory();
  const before = cuda.memoryStats().allocatedBytes;
  scope(() => void torch.empty([2 ** 24], { device: "cuda", dtype: "uint8" }));
  const after = cuda.memoryStats();
  expect(after.allocatedBytes).toBe(before);
  expect(after.peakAllocatedBytes).toBeGreaterThanOrEqual(before + 2 ** 24);
  expect(after.freeBytes).toBeLessThanOrEqual(after.totalBytes);
  cuda.emptyCache();
  expect(cuda.memoryStats().reservedBytes).toBeLessThanOrEqual(after.reservedBytes);
});

onGpu("pinned tensors are copied without waiting, and read back", async () => {
  const host = cuda.pin(wave([1000], 1));
  expect(host.isPinned()).toBe(true);
  const there = host.to({ device: "cuda", nonBlocking: true });
  const doubled = there.mul(2);
  expect(await doubled.read()).toEqual(host.mul(2).toTypedArray());
});

scoped("hooks and functions written in TypeScript run during backward on a GPU", () => {
  const x = wave([5], 1).cuda().requiresGrad_();
  const seen: string[] = [];
  x.registerHook((gradient) => {
    seen.push(gradient.device);
    return gradient.mul(3);
  });
  const [y] = customFunction(
    [x],
    () => [x.square()],
    ([gradient]) => [gradient!.mul(x.detach()).mul(2)],
  );
  y!.sum().backward();
  expect(seen).toEqual(["cuda:0"]);
  expect(x.grad!.isClose(x.detach().mul(6))).toBe(true);
});

scoped("a generator on the device repeats itself from its state", () => {
  const generator = createGenerator(7, "cuda");
  torch.randn([3], { generator, device: "cuda" });
  const state = generatorState(generator);
  const first = torch.randn([5], { generator, device: "cuda" });
  setGeneratorState(generator, state);
  expect(torch.randn([5], { generator, device: "cuda" }).equal(first)).toBe(true);
});

scoped("bfloat16 attention is the flash kernel's, and agrees with float32's on the CPU", () => {
  const [q, k, v] = [0, 1, 2].map((i) => wave([2, 4, 64, 32], i)) as [Tensor, Tensor, Tensor];
  const [hq, hk, hv] = [q, k, v].map((x) => x.cuda().bfloat16()) as [Tensor, Tensor, Tensor];
  const [flash] = torch._scaledDotProductFlashAttention(hq, hk, hv, 0, true);
  const chosen = nn.scaledDotProductAttention(hq, hk, hv, { causal: true });
  expect(chosen.equal(flash)).toBe(true);
  expect(
    chosen
      .float()
      .cpu()
      .isClose(nn.scaledDotProductAttention(q, k, v, { causal: true }), { relative: 0.02, absolute: 0.02 }),
  ).toBe(true);
});

scoped("fused operators give on a GPU what they give on the CPU, with gradients", () => {
  manualSeed(1);
  const random = (...shape: number[]) => torch.randn(shape);
  const half = random(1, 6, 8);
  const angles = torch.cat([half, half], -1);
  const scale = 16 ** -0.5;
  const segments = [0, 0, 4, 0, 4, 6, 1, 0, 6];
  const labels = torch.randint(30, [5], { dtype: "int64" });
  const cases: [Tensor[], (...x: Tensor[]) => Tensor][] = [
    [[random(2, 6, 16), random(16)], (x, w) => fused.rmsNorm(x!, w!, 1e-5)],
    [[random(2, 6, 16), random(2, 6, 16), random(16)], (x, z, w) => fused.addRmsNorm(x!, z!, w!, 1e-5)[1]],
    [[random(40), random(40)], (g, u) => fused.swiglu(g!, u!)],
    [[random(2, 6, 3, 16)], (x) => fused.rope(x!, angles.cos().to(x!.device), angles.sin().to(x!.device))],
    [[random(5, 16), random(30, 16)], (h, w) => fused.linearCrossEntropy(h!, w!, labels.to(h!.device), { zLoss: 1e-3 })[0]],
    [[random(2, 3, 6, 16), random(2, 3, 6, 16), random(2, 3, 6, 16)], (q, k, v) => fused.documentAttention(q!, k!, v!, segments, scale)],
  ];
  for (const [inputs, f] of cases) {
    const runOn = (device: "cpu" | "cuda") => {
      const leaves = inputs.map((input) => input.to({ device, copy: true }).requiresGrad_());
      const y = f(...leaves);
      y.square().sum().backward();
      return [y, ...leaves.map((leaf) => leaf.grad!)].map((value) => value.detach().cpu());
    };
    const [here, there] = [runOn("cpu"), runOn("cuda")];
    for (const [i, value] of here.entries()) expect(there[i]!.isClose(value, { relative: 1e-3, absolute: 1e-3 }), `${f} ${i}`).toBe(true);
  }
});

onGpu("a captured training step, replayed, trains as the step itself does, and leaves nothing behind", () => {
  const before = liveTensors();
  const build = () => {
    manualSeed(3);
    const net = new nn.Sequential(new nn.Linear(8, 16), new nn.GELU(), new nn.Linear(16, 1)).to({ device: "cuda" });
    const x = keep(torch.zeros([32, 8], { device: "cuda" }));
    const optimizer = new optim.AdamW(net.parameters, { learningRate: 0.01, capturable: true });
    const step = () =>
      scope(() => {
        const y = x.sum([-1], true);
        const loss = autocast({ device: "cuda" }, () => nn.mseLoss(net.forward(x), y));
        loss.backward();
        optim.clipGradNorm(net.parameters, 1);
        optimizer.step();
        // In place: the addresses that were captured stay.
        noGrad(() => torch._foreachZero_(net.parameters.map((parameter) => parameter.grad!)));
        return loss.detach();
      });
    const end = () => {
      for (const tensor of [x, ...net.parameters]) tensor.grad = null;
      optimizer.dispose();
      net.dispose();
      x.dispose();
    };
    return { x, net, step, optimizer, end };
  };
  const batch = (i: number) => wave([32, 8], i);
  const eager = build();
  const captured = build();
  for (const { x } of [eager, captured]) x.copy_(batch(0));
  for (let i = 0; i < 3; i++) scope(() => void eager.step());
  const graph = cuda.capture(captured.step, { warmups: 3 });
  for (let i = 1; i < 20; i++) {
    for (const { x, optimizer } of [eager, captured]) {
      x.copy_(batch(i));
      optimizer.learningRate = 0.01 / i;
      optimizer.sendLearningRates();
    }
    scope(() => {
      const loss = eager.step();
      graph.replay();
      expect(graph.outputs.isClose(loss, { relative: 1e-3, absolute: 1e-4 })).toBe(true);
    });
  }
  for (const [i, parameter] of eager.net.parameters.entries())
    expect(captured.net.parameters[i]!.isClose(parameter, { relative: 1e-3, absolute: 1e-4 })).toBe(true);
  graph.dispose();
  expect(() => graph.replay()).toThrow("disposed");
  for (const { end } of [eager, captured]) end();
  expect(liveTensors()).toBe(before);
});

onGpu("waiting for the device while capturing is an error, and the device goes on", () => {
  const x = torch.ones([4], { device: "cuda" });
  expect(() => cuda.capture(() => x.sum().item(), { warmups: 0 })).toThrow();
  expect(x.sum().item()).toBe(4);
});
