/**
 * What does the replay buffer cost in a step? The same decoder trains with the mixture alone and with a quarter replayed from the disk, in
 * turns; beside that, the seconds that each source takes for a step's batches.
 *   npx tsx --conditions source bench/replay/replay.ts [--steps 40] [--rounds 5] [--hidden 256]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { optim } from "@perennial/torch";
import { full } from "../../packages/perennial/src/adapt/index.ts";
import { MemoryCorpus } from "../../packages/perennial/src/data/index.ts";
import { ExperienceReplay, MixtureSource, pack, ReplayBuffer, type Source } from "../../packages/perennial/src/mixture/index.ts";
import { Decoder, decoderConfig } from "../../packages/perennial/src/model/index.ts";
import { causal } from "../../packages/perennial/src/objective/index.ts";
import { stream } from "../../packages/perennial/src/stream.ts";
import { trainLoop } from "../../packages/perennial/src/train/loop.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "40" },
    rounds: { type: "string", default: "5" },
    hidden: { type: "string", default: "256" },
  },
});
const [steps, rounds, hiddenSize] = [Number(values.steps), Number(values.rounds), Number(values.hidden)];
const [vocabSize, sequenceLength, microBatchSize] = [8192, 256, 8];

const random = stream(1, "bench");
const documents = Array.from({ length: 400 }, () => Array.from({ length: 500 }, () => random.integer(vocabSize)));
const packed = pack(new MemoryCorpus(documents, { hash: "bench" }), { sequenceLength });
const mixture = (size: number) => new MixtureSource({ sources: [{ name: "text", packed }], seed: 1, microBatchSize: size });
const folder = mkdtempSync(join(tmpdir(), "bench-replay-"));
const buffer = new ReplayBuffer({ folder, sequenceLength, vocabSize, mode: "reservoir", capacity: 2000, seed: 1 });

const contenders: Record<string, Source> = {
  "mixture alone": mixture(microBatchSize),
  "a quarter from the buffer": new ExperienceReplay({ fresh: mixture(1), buffer, share: 0.25, startStep: 0, microBatchSize }),
};

const model = new Decoder(
  decoderConfig({ vocabSize, hiddenSize, numHiddenLayers: 4, numAttentionHeads: 4, intermediateSize: 3 * hiddenSize }),
);
const adaptation = full(model);
const optimizer = new optim.AdamW(
  adaptation.parameterSets.map(({ name, parameters }) => ({ name, parameters })),
  { learningRate: 1e-4 },
);
const settings = { totalSteps: steps, microBatches: 1, maxGradNorm: 1, autocastDtype: "float32" as const, activationCheckpointing: false };
const seen: Record<string, { step: number[]; data: number[] }> = {};
for (let round = -1; round < rounds; round++)
  for (const [name, source] of Object.entries(contenders)) {
    const parts = { model, source, objective: causal({ zLoss: 0 }), adaptation, optimizer, schedule: () => 1e-4, rules: [] };
    await trainLoop(parts, settings, 0, async ({ seconds, dataSeconds }) => {
      if (round >= 0) {
        seen[name] ??= { step: [], data: [] };
        seen[name].step.push(seconds);
        seen[name].data.push(dataSeconds);
      }
      // Between two steps reads from the disk come in, as in a run.
      await new Promise((done) => setImmediate(done));
      return "continue" as const;
    });
  }
buffer.close();
rmSync(folder, { recursive: true, force: true });

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
for (const [name, { step, data }] of Object.entries(seen))
  console.log(
    `${name.padEnd(26)} step ${(1000 * median(step)).toFixed(1)} ms   source ${(1000 * median(data)).toFixed(3)} ms   ` +
      `${((100 * median(data)) / median(step)).toFixed(2)} % of the step`,
  );
