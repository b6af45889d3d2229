/**
 * Our trainer as a user runs it: a recipe with tokenized text, packing, sampler, rules, metrics in the store. It stops after the
 * steps that a line of standard input asks for and waits for the next line; measurements and checkpoints lie outside of them.
 *   contender.ts SHAPE DTYPE THREADS FOLDER
 */
import { readSync } from "node:fs";
import { setNumThreads } from "@perennial/torch";
import { resolveRecipe } from "perennial/recipe";
import { runRecipe } from "perennial/run";
import { shapes } from "../training-step/shapes.ts";

const [shapeName = "7M", dtype = "float32", threads = "2", folder = "."] = process.argv.slice(2);
const { config, batchSize, sequenceLength } = shapes[shapeName]!;
setNumThreads(Number(threads));

/** The next line, while everything else waits. Empty at the end. */
function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = "";
  while (readSync(0, byte, 0, 1, null) === 1) {
    if (byte[0] === 10) break;
    line += byte.toString();
  }
  return line;
}

let [left, from, cpuFrom] = [1, performance.now(), process.cpuUsage()];
let isFirst = true;
const abort = new AbortController();

function afterStep(loss: number): void {
  if (--left > 0) return;
  const cpu = process.cpuUsage(cpuFrom);
  const seconds = (performance.now() - from) / 1000;
  const report = { seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, loss, peakBytes: process.resourceUsage().maxRSS * 1024 };
  console.log(JSON.stringify(isFirst ? { firstStepSeconds: seconds, firstLoss: loss } : report));
  isFirst = false;
  left = Number(readLine());
  if (!(left > 0)) process.exit(0);
  [from, cpuFrom] = [performance.now(), process.cpuUsage()];
}

const recipe = resolveRecipe({
  name: "bench",
  seed: 1,
  output: `run-${process.pid}`,
  model: {
    hiddenSize: config.hiddenSize,
    intermediateSize: config.intermediateSize,
    numHiddenLayers: config.numHiddenLayers,
    numAttentionHeads: config.numAttentionHeads,
    maxPositionEmbeddings: sequenceLength,
  },
  tokenizer: { train: { vocabSize: config.vocabSize, corpora: ["english"] } },
  corpora: { english: { path: "english.jsonl.gz", heldOut: { share: 0.05 } } },
  train: {
    steps: 100_000,
    sequenceLength,
    microBatchSize: batchSize,
    schedule: { schedule: "constant", maxLearningRate: 3e-4 },
    autocastDtype: dtype as "float32" | "bfloat16",
  },
  // Whole rows, as the peers have them.
  stages: [{ name: "bench", mixture: { sources: [{ corpus: "english" }], attention: "across-documents" } }],
  evaluate: { everySteps: "never", maxTokensPerCorpus: 4096 },
  checkpoints: { everySteps: "never" },
});
await runRecipe(recipe, {
  baseFolder: folder,
  signal: abort.signal,
  listen: (message) => {
    if (message.kind === "stage") [from, cpuFrom] = [performance.now(), process.cpuUsage()];
    if (message.kind === "step") afterStep(message.report.loss);
  },
});
