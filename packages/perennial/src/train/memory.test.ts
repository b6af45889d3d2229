import { autocast, liveTensors, manualSeed, optim, scope, setNumThreads, torch } from "@perennial/torch";
import { expect, test } from "vitest";
import { Decoder, decoderConfig } from "../model/index.ts";

test.each(["float32", "bfloat16"] as const)("800 steps in %s leave neither tensors nor memory behind", async (dtype) => {
  setNumThreads(1);
  manualSeed(1);
  const [V, B, T] = [64, 2, 16] as const;
  const model = new Decoder(decoderConfig({ vocabSize: V, hiddenSize: 32, numHiddenLayers: 1, numAttentionHeads: 2 }));
  const optimizer = new optim.AdamW(model.parameters, { learningRate: 1e-3 });
  const step = () =>
    scope(() => {
      const ids = torch.randint(V, [B, T + 1]).long();
      const loss = autocast({ dtype, enabled: dtype !== "float32" }, () => {
        const hidden = model.hiddenStates({ inputIds: ids.slice(1, 0, T) });
        return model.crossEntropySum(hidden.view([B * T, -1]), ids.slice(1, 1, T + 1).reshape([-1]))[0].div(B * T);
      });
      loss.backward();
      optimizer.step().zeroGrad();
    });
  const after = async (steps: number) => {
    for (let i = 0; i < steps; i++) step();
    await new Promise((done) => setImmediate(done));
    const { rss, heapTotal } = process.memoryUsage();
    // Without JavaScript's own heap, which grows and shrinks as the collector likes.
    return { tensors: liveTensors(), bytes: rss - heapTotal };
  };
  const settled = await after(200);
  const end = await after(600);
  expect(end.tensors).toBe(settled.tensors);
  // A graph that stays alive would be 600 times 100 KiB; pages that the allocator holds move less than half of that.
  expect(end.bytes - settled.bytes).toBeLessThan(32 * 2 ** 20);
  model.dispose();
  optimizer.dispose();
});
