/**
 * What a GPU does here, as `tools/cuda-check.sh` reports it: matrix products, flash attention, copies, streams, the allocator,
 * and training steps of a decoder, beside PyTorch's where there is one (PEER_PYTHON). `--dry-run`: the same code on the CPU with small
 * shapes, without what only a GPU has.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { autocast, cuda, type Device, keep, manualSeed, nn, noGrad, optim, scope, type Tensor, torch } from "@perennial/torch";
import { Decoder, decoderConfig, trainingFlopsPerToken } from "perennial/model";

const dryRun = process.argv.includes("--dry-run");
const device: Device = dryRun ? "cpu" : "cuda";

// A decoder of 110 M parameters: V vocabulary, D hidden, F feed-forward, L layers, H heads, B sequences of T tokens.
const [V, D, F, L, H, B, T] = dryRun ? [256, 64, 128, 2, 4, 2, 32] : [32_000, 768, 2048, 12, 12, 8, 1024];
const config = decoderConfig({
  vocabSize: V,
  hiddenSize: D,
  intermediateSize: F,
  numHiddenLayers: L,
  numAttentionHeads: H,
  tieWordEmbeddings: true,
  maxPositionEmbeddings: T,
});

/** Median seconds of `body`, of work that the device was asked for: between events on a GPU, by the clock elsewhere. */
function secondsOf(body: () => void, rounds = 10): number {
  const times = Array.from({ length: rounds + 2 }, () => {
    if (dryRun) {
      const start = performance.now();
      scope(body);
      return (performance.now() - start) / 1000;
    }
    const stream = cuda.Stream.current();
    const start = new cuda.Event().record(stream);
    scope(body);
    const end = new cuda.Event().record(stream);
    end.synchronize();
    const seconds = start.elapsedMilliseconds(end) / 1000;
    for (const event of [start, end]) event.dispose();
    return seconds;
  }).slice(2);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

const lines: string[] = [];
const tell = (what: string, value: string) => lines.push(`${what.padEnd(34)} ${value}`);
const tera = (flops: number) => `${(flops / 1e12).toFixed(dryRun ? 3 : 0)} TFLOP/s`;

/** Operations per second of a large square product: what all shares below are of. */
function peakOf(dtype: "float32" | "bfloat16"): number {
  const size = dryRun ? 256 : 8192;
  return noGrad(() =>
    scope(() => {
      const [a, b] = [0, 1].map(() => torch.randn([size, size], { device }).to(dtype)) as [Tensor, Tensor];
      return (2 * size ** 3) / secondsOf(() => void a.matmul(b));
    }),
  );
}

function attention(peak: number): void {
  const [S, E] = dryRun ? [64, 16] : [4096, 64];
  noGrad(() =>
    scope(() => {
      const [q, k, v] = [0, 1, 2].map(() => torch.randn([4, 16, S, E], { device, dtype: "bfloat16" })) as [Tensor, Tensor, Tensor];
      const flops = (4 * 4 * 16 * S * S * E) / 2; // half of the scores are masked
      const seconds = secondsOf(() => void nn.scaledDotProductAttention(q, k, v, { causal: true }));
      tell(`causal attention, bf16, T ${S}`, `${tera(flops / seconds)}, ${((100 * flops) / seconds / peak).toFixed(0)} % of the peak`);
    }),
  );
}

function copies(): void {
  const bytes = 2 ** 28;
  scope(() => {
    const pageable = torch.ones([bytes], { dtype: "uint8" });
    const pinned = cuda.pin(pageable);
    const rate = (source: Tensor) => bytes / secondsOf(() => void source.to({ device, nonBlocking: true })) / 1e9;
    tell("copies to the device", `${rate(pinned).toFixed(1)} GB/s pinned, ${rate(pageable).toFixed(1)} GB/s pageable`);
    const side = new cuda.Stream();
    const a = torch.randn([4096, 4096], { device, dtype: "bfloat16" });
    const multiply = () => {
      for (let i = 0; i < 20; i++) scope(() => void a.matmul(a));
    };
    const product = secondsOf(multiply);
    const copy = secondsOf(() => void pinned.to({ device, nonBlocking: true }));
    const both = secondsOf(() => {
      side.waitForStream(cuda.Stream.current());
      cuda.withStream(side, () => {
        const there = pinned.to({ device, nonBlocking: true });
        cuda.recordStream(there, side);
      });
      multiply();
      cuda.Stream.current().waitForStream(side);
    });
    tell(
      "a copy beside products",
      `${(1000 * both).toFixed(2)} ms together, ${(1000 * (product + copy)).toFixed(2)} ms one after the other`,
    );
  });
}

/** A training step in bf16 over float32 weights: loss, backward, clipping, AdamW; nothing in it waits for the device. */
function trainer(capturable: boolean) {
  manualSeed(0);
  const model = new Decoder(config).to({ device });
  const optimizer = new optim.AdamW(model.parameters, { learningRate: 3e-4, beta2: 0.95, weightDecay: 0.1, capturable });
  const ids = keep(torch.randint(V, [B, T + 1], { device, dtype: "int64" }));
  const step = () =>
    scope(() => {
      const loss = autocast({ device, dtype: "bfloat16" }, () => {
        const hidden = model.hiddenStates({ inputIds: ids.slice(1, 0, T) });
        return model.crossEntropySum(hidden.view([B * T, D]), ids.slice(1, 1, T + 1).reshape([-1]))[0].div(B * T);
      });
      loss.backward();
      optim.clipGradNorm(model.parameters, 1);
      optimizer.step();
      // Kept and zeroed: a captured step must find its gradients where they were.
      noGrad(() => torch._foreachZero_(model.parameters.map((parameter) => parameter.grad!)));
      return loss.detach();
    });
  const dispose = () => {
    for (const parameter of model.parameters) parameter.grad = null;
    optimizer.dispose();
    model.dispose();
    ids.dispose();
  };
  return { step, dispose };
}

function training(peak: number): void {
  const flops = trainingFlopsPerToken(config, T) * B * T;
  const row = (name: string, seconds: number, bytes: number) =>
    tell(
      name,
      `${Math.round((B * T) / seconds).toLocaleString("en")} tokens/s, ${tera(flops / seconds)}, ${((100 * flops) / seconds / peak).toFixed(1)} % of the peak` +
        (bytes > 0 ? `, ${(bytes / 2 ** 30).toFixed(2)} GiB at most` : ""),
    );
  const peakBytes = () => (dryRun ? 0 : cuda.memoryStats().peakAllocatedBytes);
  for (const captured of dryRun ? [false] : [false, true]) {
    if (!dryRun) cuda.emptyCache();
    if (!dryRun) cuda.resetPeakMemory();
    const { step, dispose } = trainer(captured);
    if (captured) {
      const graph = cuda.capture(step);
      row("training step, captured graph", secondsOf(graph.replay), peakBytes());
      graph.dispose();
    } else
      row(
        "training step, launched",
        secondsOf(() => void step()),
        peakBytes(),
      );
    dispose();
  }
  for (const mode of process.env.PEER_PYTHON === undefined ? [] : ["eager", "compiled"]) {
    const shape = [V, D, F, L, H, B, T].join(",");
    const script = fileURLToPath(new URL("peer.py", import.meta.url));
    const answer = execFileSync(process.env.PEER_PYTHON!, [script, shape, device, mode], { encoding: "utf8" });
    const { seconds, peakBytes, warmupSeconds } = JSON.parse(answer.trim().split("\n").at(-1)!);
    row(`PyTorch ${mode}`, seconds, peakBytes);
    tell(`PyTorch ${mode}, first step after`, `${Number(warmupSeconds).toFixed(1)} s`);
  }
}

if (!dryRun) {
  const { name, major, minor, multiprocessors, totalBytes } = cuda.deviceProperties();
  tell(
    "device",
    `${name}, ${(totalBytes / 2 ** 30).toFixed(0)} GiB, ${multiprocessors} multiprocessors, compute capability ${major}.${minor}`,
  );
}
const peak = peakOf("bfloat16");
tell("matrix products", `${tera(peak)} bf16, ${tera(peakOf("float32"))} float32`);
attention(peak);
if (!dryRun) copies();
training(peak);
if (!dryRun) {
  const { allocatedBytes, reservedBytes, retries } = cuda.memoryStats();
  cuda.emptyCache();
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  tell(
    "allocator at the end",
    `${gib(allocatedBytes)} in use, ${gib(reservedBytes)} reserved, ${retries} retries; ${gib(cuda.memoryStats().reservedBytes)} after emptyCache`,
  );
}
console.log(lines.join("\n"));
