/** Our side: builds the decoder, then runs as many steps as each line of standard input asks for; `peak` measures matrix products. */
import { createInterface } from "node:readline";
import { autocast, type Dtype, fused, keepFreedMemory, manualSeed, noGrad, optim, scope, setNumThreads, torch } from "@perennial/torch";
import { Decoder, decoderConfig } from "perennial/model";
import { shapes } from "./shapes.ts";

const [shapeName = "7M", dtype = "float32", threads = "2"] = process.argv.slice(2);
const shape = shapes[shapeName]!;
keepFreedMemory();
setNumThreads(Number(threads));
manualSeed(0);
const { batchSize: B, sequenceLength: T } = shape;
const start = performance.now();
const model = new Decoder(decoderConfig(shape.config));
const optimizer = new optim.AdamW(model.parameters, { learningRate: 3e-4, beta2: 0.95, weightDecay: 0.1 });
const ids = torch.randint(shape.config.vocabSize, [B, T + 1]).long();

function step(): number {
  return scope(() => {
    const loss = autocast({ dtype: dtype as Dtype, enabled: dtype !== "float32" }, () => {
      const hidden = model.hiddenStates({ inputIds: ids.slice(1, 0, T) });
      const labels = ids.slice(1, 1, T + 1).reshape([-1]);
      return fused.linearCrossEntropy(hidden.view([B * T, -1]), model.outputWeight, labels)[0].div(B * T);
    });
    loss.backward();
    const norm = optim.gradNorm(model.parameters).item();
    optimizer.step({ gradScale: Math.min(1, 1 / (norm + 1e-6)) }).zeroGrad();
    return loss.item();
  });
}

/** Products that a BLAS is best at, and those of the decoder's layers: the best of all is this machine's peak, FLOP/s. */
function measurePeak(type: Dtype): number {
  const { hiddenSize: D, intermediateSize: F } = shape.config;
  return noGrad(() =>
    scope(() => {
      let best = 0;
      for (const [m, k, n] of [[1024, 1024, 1024] as const, [2048, D, D] as const, [2048, D, F] as const]) {
        const a = torch.randn([m, k]).to(type);
        const b = torch.randn([k, n]).to(type);
        for (let round = 0; round < 8; round++) {
          const from = performance.now();
          scope(() => a.matmul(b));
          best = Math.max(best, (2 * m * k * n) / ((performance.now() - from) / 1000));
        }
      }
      return best;
    }),
  );
}

const built = performance.now();
const first = step();
const ready = {
  contender: "perennial",
  buildSeconds: (built - start) / 1000,
  firstStepSeconds: (performance.now() - built) / 1000,
  firstLoss: first,
};
console.log(JSON.stringify(ready));
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "peak") {
    console.log(JSON.stringify({ float32: measurePeak("float32"), bfloat16: dtype === "bfloat16" ? measurePeak("bfloat16") : 0 }));
    continue;
  }
  const count = Number(line);
  const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
  let loss = 0;
  for (let i = 0; i < count; i++) loss = step();
  const cpu = process.cpuUsage(cpuFrom);
  const report = {
    seconds: (performance.now() - from) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    loss,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(report));
}
