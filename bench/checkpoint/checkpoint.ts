/**
 * What does a checkpoint cost in step time? Contenders, interleaved step by step: no checkpoint · one that is saved in the background, begun
 * after the step · one that the run waits for. Also: the memory that training takes beside its estimate.
 *   npx tsx --conditions=source bench/checkpoint/checkpoint.ts [rounds]
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepFreedMemory, manualSeed, optim, scope, setNumThreads } from "@perennial/torch";
import { full } from "../../packages/perennial/src/adapt/index.ts";
import type { Batch } from "../../packages/perennial/src/mixture/source.ts";
import { countParameters, Decoder, decoderConfig, trainingMemory } from "../../packages/perennial/src/model/index.ts";
import { causal } from "../../packages/perennial/src/objective/index.ts";
import { stream } from "../../packages/perennial/src/stream.ts";
import { CheckpointWriter } from "../../packages/perennial/src/train/checkpoint-writer.ts";

const rounds = Number(process.argv[2] ?? 7);
const [microBatchSize, sequenceLength, stepsPerRound] = [2, 128, 2];
// One thread computes, so that the one that writes has a core of its own even on two.
setNumThreads(1);
keepFreedMemory();
/** The process's memory at its highest, in bytes. */
const peak = () => Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;

manualSeed(1);
const config = decoderConfig({
  vocabSize: 8192,
  hiddenSize: 288,
  numHiddenLayers: 8,
  numAttentionHeads: 6,
  intermediateSize: 768,
});
const atStart = process.memoryUsage.rss();
const model = new Decoder(config);
const optimizer = new optim.AdamW(full(model).parameterSets.map(({ parameters }) => ({ parameters })));
const objective = causal({ zLoss: 0 });
const random = stream(1, "tokens");
const positions = microBatchSize * sequenceLength;
const ids = () => Int32Array.from({ length: positions }, () => random.integer(config.vocabSize));
const batch: Batch = {
  batchSize: microBatchSize,
  sequenceLength,
  inputIds: ids(),
  labels: ids(),
  positionIds: Int32Array.from({ length: positions }, (_, i) => i % sequenceLength),
  documentIds: new Int32Array(positions),
  targetTokens: positions,
  targetTokensBySource: { random: positions },
};
const step = () => {
  scope(() => objective.lossSum(model, batch, { activationCheckpointing: false }).lossSum.div(positions).backward());
  optimizer.step().zeroGrad();
};

const folder = mkdtempSync(join(tmpdir(), "perennial-bench-"));
const writer = new CheckpointWriter(folder, { keepLast: 1, keepBest: 0, keepMeasured: false, keepPlanned: false });
let saves = 0;
const save = () =>
  writer.save(
    { model, rawConfig: {}, optimizer, rules: [] },
    {
      recipeHash: "",
      stage: 0,
      stageStep: ++saves,
      step: saves,
      tokens: 0,
      source: {},
      memory: [],
      before: {},
      parentHash: null,
      planned: true,
    },
    () => {},
  );

/** Seconds for a few steps, with what happens before them. */
async function timed(before: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await before();
  for (let i = 0; i < stepsPerRound; i++) {
    step();
    await new Promise((done) => setImmediate(done));
  }
  return (performance.now() - start) / 1000;
}

for (let i = 0; i < 3; i++) step();
const estimate = trainingMemory(config, { microBatchSize, sequenceLength, activationCheckpointing: false }).total;
const grown = peak() - atStart;
await save();
await writer.idle();
const copying: number[] = [];
const contenders: Record<string, () => Promise<void>> = {
  none: async () => {},
  background: async () => {
    const start = performance.now();
    await save();
    copying.push((performance.now() - start) / 1000);
  },
  waiting: async () => {
    await save();
    await writer.idle();
  },
};
const seconds: Record<string, number[]> = { none: [], background: [], waiting: [] };
for (let round = 0; round < rounds; round++)
  for (const [name, before] of Object.entries(contenders)) {
    seconds[name]!.push(await timed(before));
    await writer.idle();
  }
rmSync(folder, { recursive: true, force: true });

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const none = median(seconds.none!);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
const parameters = countParameters(config).total;
console.log(
  `${(parameters / 1e6).toFixed(1)} M parameters, checkpoint of ${megabytes(12 * parameters)}, step of ${positions} tokens: ${((1000 * none) / stepsPerRound).toFixed(0)} ms`,
);
for (const name of ["background", "waiting"])
  console.log(
    `${name}: +${(1000 * (median(seconds[name]!) - none)).toFixed(0)} ms a checkpoint, over ${stepsPerRound} steps (${(median(seconds[name]!) / none).toFixed(2)} times)`,
  );
console.log(`of that the call that copies the state: ${(1000 * median(copying)).toFixed(0)} ms`);
console.log(
  `memory: estimate ${megabytes(estimate)}, grown by ${megabytes(grown)} at its peak without a checkpoint, by ${megabytes(peak() - atStart)} with`,
);
