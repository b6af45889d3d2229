/**
 * Does resuming late cost more than resuming early? Data time of going on at step 10, 1,000 and 100,000: the sampler's state read
 * from JSON, restored, and the first batch drawn.
 *   npx tsx --conditions source bench/trainer/resume.ts
 */

import { stream } from "perennial";
import { MemoryCorpus } from "perennial/data";
import { MixtureSource, pack } from "perennial/mixture";
import { median } from "../contender.ts";

const random = stream(1, "tokens");
const documents = Array.from({ length: 20_000 }, () =>
  Uint32Array.from({ length: 20 + random.integer(400) }, () => random.integer(50_000)),
);
const sources = ["old", "new"].map((name) => ({
  name,
  share: 0.5,
  packed: pack(new MemoryCorpus(documents), { sequenceLength: 128 }),
}));
const open = () => new MixtureSource({ sources, seed: 1, microBatchSize: 8 });
const source = open();
let step = 0;
console.log("| step | state | restored, and the first batch drawn: median of 21 |\n|---|---|---|");
for (const at of [10, 1_000, 100_000]) {
  for (; step < at; step++) source.next(1);
  const state = JSON.stringify(source.state());
  const [expected] = open().next(1) && source.next(1);
  step++;
  const times = Array.from({ length: 21 }, () => {
    const from = performance.now();
    const resumed = open();
    resumed.restore(JSON.parse(state));
    const [batch] = resumed.next(1);
    const milliseconds = performance.now() - from;
    if (!batch!.inputIds.every((id, i) => id === expected!.inputIds[i])) throw new Error(`step ${at}: another batch than without a stop`);
    return milliseconds;
  });
  console.log(`| ${at} | ${state.length} bytes | ${median(times).toFixed(2)} ms |`);
}
