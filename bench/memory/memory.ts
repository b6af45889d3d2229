/**
 * Does memory stay where it is? Training steps of a tiny decoder, resident memory sampled on the way.
 *   npx tsx --conditions source bench/memory/memory.ts [steps, 10000 unless given] [float32|bfloat16]
 */
import { autocast, type Dtype, keepFreedMemory, liveTensors, manualSeed, optim, scope, setNumThreads, torch } from "@perennial/torch";
import { Decoder, decoderConfig } from "perennial/model";

const steps = Number(process.argv[2] ?? 10_000);
const dtype = (process.argv[3] ?? "float32") as Dtype;
const [V, B, T] = [256, 4, 64] as const;
keepFreedMemory();
setNumThreads(1);
manualSeed(0);
const model = new Decoder(decoderConfig({ vocabSize: V, hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 2 }));
const optimizer = new optim.AdamW(model.parameters, { learningRate: 1e-3 });

function step(): void {
  scope(() => {
    const ids = torch.randint(V, [B, T + 1]).long();
    const loss = autocast({ dtype, enabled: dtype !== "float32" }, () => {
      const hidden = model.hiddenStates({ inputIds: ids.slice(1, 0, T) });
      return model.crossEntropySum(hidden.view([B * T, -1]), ids.slice(1, 1, T + 1).reshape([-1]))[0].div(B * T);
    });
    loss.backward();
    const norm = optim.clipGradNorm(model.parameters, 1);
    optimizer.step().zeroGrad();
    norm.item();
  });
}

const every = Math.max(1, Math.floor(steps / 20));
const samples: { readonly step: number; readonly bytes: number; readonly tensors: number }[] = [];
const start = performance.now();
for (let i = 1; i <= steps; i++) {
  step();
  if (i === 500 || i % every === 0) {
    // Lets finalizers run, as a trainer's loop does after each step.
    await new Promise((done) => setImmediate(done));
    samples.push({ step: i, bytes: process.memoryUsage.rss(), tensors: liveTensors() });
  }
}
console.log(`${steps} steps in ${dtype}, ${((performance.now() - start) / steps).toFixed(2)} ms each\n`);
console.log("| step | resident memory | live tensors |\n|---|---|---|");
for (const { step, bytes, tensors } of samples) console.log(`| ${step} | ${(bytes / 2 ** 20).toFixed(1)} MiB | ${tensors} |`);
const settled = samples.filter((sample) => sample.step >= 500);
const growth = Math.max(...settled.map(({ bytes }) => bytes)) - settled[0]!.bytes;
console.log(`\nafter step 500 it grows by at most ${(growth / 2 ** 20).toFixed(1)} MiB`);
