/** Our side: a GPT-2 of 124 M parameters, batch 4 × 64, fp32, AdamW without decay or clipping, as llm.c's trainer has it. */
import { createInterface } from "node:readline";
import { keepFreedMemory, manualSeed, optim, scope, setNumThreads, torch } from "@perennial/torch";
import { Decoder, decoderConfig } from "perennial/model";
import { gpt2 } from "./shape.ts";

const [threads = "2"] = process.argv.slice(2);
keepFreedMemory();
setNumThreads(Number(threads));
manualSeed(0);
const { vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, maxPositionEmbeddings, batchSize: B, sequenceLength: T } = gpt2;
const model = new Decoder(
  decoderConfig({
    ...{ vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, maxPositionEmbeddings },
    intermediateSize: 4 * hiddenSize,
    position: "learned",
    norm: "layer",
    mlp: "plain",
    activation: "geluTanh",
    attentionBias: true,
    attentionOutBias: true,
    mlpBias: true,
  }),
);
const optimizer = new optim.AdamW(model.parameters, { learningRate: 1e-4, beta2: 0.999, weightDecay: 0 });
const ids = torch.randint(vocabSize, [B, T + 1]).long();

const step = () =>
  scope(() => {
    const hidden = model.hiddenStates({ inputIds: ids.slice(1, 0, T) });
    const [loss] = model.crossEntropySum(hidden.view([B * T, -1]), ids.slice(1, 1, T + 1).reshape([-1]));
    loss.div(B * T).backward();
    optimizer.step().zeroGrad();
    return loss.item() / (B * T);
  });

const start = performance.now();
const firstLoss = step();
console.log(JSON.stringify({ firstStepSeconds: (performance.now() - start) / 1000, firstLoss }));
for await (const line of createInterface({ input: process.stdin })) {
  const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
  let loss = 0;
  for (let i = 0; i < Number(line); i++) loss = step();
  const cpu = process.cpuUsage(cpuFrom);
  const seconds = (performance.now() - from) / 1000;
  console.log(
    JSON.stringify({ seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, loss, peakBytes: process.resourceUsage().maxRSS * 1024 }),
  );
}
