/**
 * A model on another device than the CPU. The device `meta` computes shapes and nothing else: it refuses tensors of two devices in
 * one operator as a GPU does, and it has no values, so that whatever waits for the device to read one fails.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { autocast, optim, scope, tensor, torch } from "@perennial/torch";
import { expect, test } from "vitest";
import { batchTensors, causal } from "../objective/index.ts";
import { KeyValueCache, loadModel } from "./index.ts";

const golden = new URL("./golden/", import.meta.url).pathname;
const families = readdirSync(golden);

const batch = {
  batchSize: 2,
  sequenceLength: 6,
  inputIds: Int32Array.from({ length: 12 }, (_, i) => i),
  labels: Int32Array.from({ length: 12 }, (_, i) => (i % 5 === 4 ? -100 : i)),
  positionIds: Int32Array.from([0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 5]),
  documentIds: Int32Array.from([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]),
  targetTokens: 10,
  targetTokensBySource: {},
};

test.each(families)("%s: a training step off the CPU mixes no devices and reads nothing", (name) => {
  const { model } = loadModel(join(golden, name));
  model.to({ device: "meta" });
  expect(model.device).toBe("meta");
  const optimizer = new optim.SGD(model.parameters, { learningRate: 0.01, momentum: 0.9 });
  for (const activationCheckpointing of [false, true])
    scope(() => {
      const settings = { activationCheckpointing };
      const { lossSum, reported } = autocast({ enabled: false }, () => causal({ zLoss: 1e-4 }).lossSum(model, batch, settings));
      lossSum.div(batch.targetTokens).backward();
      expect(reported.device).toBe("meta");
      expect(optim.gradNorm(model.parameters).device).toBe("meta");
      optimizer.step({ gradScale: 0.5 }).zeroGrad();
    });
  optimizer.dispose();
  model.dispose();
});

test.each(families)("%s: padded and cached passes off the CPU", (name) => {
  const { model } = loadModel(join(golden, name));
  model.to({ device: "meta" });
  const cache = new KeyValueCache(model.config.numHiddenLayers);
  const { inputIds, positionIds } = batchTensors(batch);
  for (const width of [6, 1])
    scope(() => {
      const past = cache.length;
      const hidden = model.hiddenStates({
        inputIds: inputIds.slice(1, 0, width),
        positionIds: positionIds!.slice(1, 0, width),
        attentionMask: torch.ones([2, past + width], { dtype: "bool" }),
        cache,
      });
      expect(model.logitsOf(hidden).shape).toEqual([2, width, model.config.vocabSize]);
    });
  cache.select(tensor([1, 1], { dtype: "int64" }));
  cache.dispose();
  model.dispose();
});
