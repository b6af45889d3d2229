import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, nn, openSafetensors, scope, type Tensor, tensor, torch, writeSafetensors } from "@perennial/torch";
import { expect, test } from "vitest";
import { BatchBuilder } from "../mixture/index.ts";
import { batchTensors, causal } from "../objective/index.ts";
import { stream } from "../stream.ts";
import {
  countParameters,
  Decoder,
  decoderConfig,
  fromHuggingFace,
  generate,
  loadModel,
  saveModel,
  toHuggingFace,
  toTheirs,
  weightsOf,
} from "./index.ts";

const golden = (name: string) => new URL(`./golden/${name}`, import.meta.url).pathname;
const families = readdirSync(golden("."));

test.each(families)("%s: logits, loss, every gradient and greedy text equal transformers'", (name) => {
  const { model } = loadModel(golden(name));
  const reference = openSafetensors(join(golden(name), "golden.safetensors"));
  const ids = reference.read("ids");
  const logits = model.logits({ inputIds: ids });
  expect(logits.isClose(reference.read("logits"), { relative: 1e-4, absolute: 1e-4 })).toBe(true);
  const loss = nn.crossEntropy(logits.slice(1, 0, 23).reshape([-1, model.config.vocabSize]), ids.slice(1, 1).reshape([-1]));
  expect(loss.item()).toBeCloseTo(reference.read("loss").item(), 5);
  loss.backward();
  const gradients = toTheirs(weightsOf(model.config), new Map(model.namedParameters().map(([path, { grad }]) => [path, grad!])));
  expect(["ids", "logits", "loss", "greedy", ...[...gradients.keys()].map((key) => `grad.${key}`)].sort()).toEqual(
    [...reference.names].sort(),
  );
  for (const [key, gradient] of gradients) {
    const expected = reference.read(`grad.${key}`);
    const scale = expected.abs().max().item();
    expect(gradient.isClose(expected, { relative: 1e-4, absolute: 1e-4 * scale }), key).toBe(true);
  }
  const prompts = ids.slice(1, 0, 5).toArray() as number[][];
  // Beyond the original length of those that have one, where angles change.
  const greedy = reference.read("greedy").toArray() as number[][];
  expect(generate(model, prompts, { maxNewTokens: 30 })).toEqual(greedy);
  expect(generate(model, [prompts[0]!], { maxNewTokens: 30, paddedLength: 8 })).toEqual([greedy[0]]);
  expect(countParameters(model.config).total).toBe(model.parameters.reduce((sum, parameter) => sum + parameter.numel, 0));
});

test.each(families)("%s: saving changes no byte of a weight, and no meaning of the config", (name) => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-family-"));
  try {
    const { model, rawConfig } = loadModel(golden(name));
    saveModel(folder, model, { rawConfig });
    const [before, after] = [golden(name), folder].map((path) => openSafetensors(join(path, "model.safetensors")));
    expect([...after!.names].sort()).toEqual([...before!.names].sort());
    for (const key of before!.names) expect(after!.read(key).equal(before!.read(key)), key).toBe(true);
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    expect(config).toMatchObject(rawConfig as object);
    expect(fromHuggingFace(config)).toEqual(model.config);
    // Python's strict readers tell 30 from 30.0.
    if (model.config.logitSoftcap !== null)
      expect(readFileSync(join(folder, "config.json"), "utf8")).toContain('"final_logit_softcapping": 3.0');
    // A config written from nothing says the same.
    expect(fromHuggingFace(toHuggingFace(model.config))).toEqual(model.config);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each(families)("%s: the objective's loss is the logits' cross-entropy, with its gradient", (name) => {
  const { model } = loadModel(golden(name));
  const batch = packed([[24], [7, 17]], 3, model.config.vocabSize);
  const { labels, ...input } = batchTensors(batch);
  const { lossSum, reported } = causal({ zLoss: 0.01 }).lossSum(model, batch, { activationCheckpointing: false });
  lossSum.backward();
  const gradientsInFiles = () =>
    toTheirs(weightsOf(model.config), new Map(model.namedParameters().map(([path, { grad }]) => [path, grad!.clone()])));
  const gradients = gradientsInFiles();
  model.zeroGrad();
  const logits = model.logits(input).reshape([-1, model.config.vocabSize]);
  const flat = labels.view([-1]);
  const plain = nn.crossEntropy(logits, flat, { reduction: "sum" });
  plain.add(torch.logsumexp(logits, -1).square().mul(flat.ne(-100)).sum().mul(0.01)).backward();
  expect(reported.item()).toBeCloseTo(plain.item(), 3);
  for (const [key, gradient] of gradientsInFiles()) {
    const scale = gradient.abs().max().item();
    expect(gradients.get(key)!.isClose(gradient, { relative: 1e-4, absolute: 1e-4 * scale }), key).toBe(true);
  }
});

/** Rows of documents of the given lengths, as training packs them. */
function packed(rows: readonly (readonly number[])[], seed: number, vocabSize = 97) {
  const T = rows[0]!.reduce((sum, length) => sum + length, 0);
  const builder = new BatchBuilder(rows.length, T);
  const random = stream(seed, "ids");
  for (let i = 0; i < builder.inputIds.length; i++) builder.inputIds[i] = random.integer(vocabSize);
  builder.labels.set(builder.inputIds);
  for (const [row, lengths] of rows.entries()) {
    let start = row * T;
    for (const [document, length] of lengths.entries()) {
      builder.span(start, start + length, document);
      start += length;
    }
  }
  return builder.finish();
}

test.each(families)("%s: documents in a packed row do not see each other, and each equals itself alone", (name) => {
  scope(() => {
    const { model } = loadModel(golden(name));
    const V = model.config.vocabSize;
    const batch = packed(
      [
        [7, 12, 5],
        [10, 14],
      ],
      1,
      V,
    );
    const before = model.logits(batchTensors(batch));
    // Perturb the second document of the first row.
    const changed = { ...batch, inputIds: batch.inputIds.map((id, i) => (i >= 7 && i < 19 ? (id + 1) % V : id)) };
    const after = model.logits(batchTensors(changed));
    expect(after.at(0, [0, 7]).equal(before.at(0, [0, 7]))).toBe(true);
    expect(after.at(0, [19, 24]).equal(before.at(0, [19, 24]))).toBe(true);
    expect(after.at(1).equal(before.at(1))).toBe(true);
    expect(after.at(0, [7, 19]).equal(before.at(0, [7, 19]))).toBe(false);
    const alone = model.logits({ inputIds: tensor([...batch.inputIds.slice(7, 19)], { dtype: "int64" }).unsqueeze(0) });
    expect(alone.at(0).isClose(before.at(0, [7, 19]), { relative: 1e-4, absolute: 1e-4 })).toBe(true);
  });
});

test.each(families)("%s: activation checkpointing changes neither loss nor gradients", (name) => {
  const gradients = (activationCheckpointing: boolean): [Tensor, Tensor[]] => {
    const { model } = loadModel(golden(name));
    const logits = model.logits({ inputIds: torch.arange(24).unsqueeze(0), activationCheckpointing });
    const loss = logits.square().mean();
    loss.backward();
    return [loss, model.parameters.map((parameter) => parameter.grad!)];
  };
  const [plain, plainGradients] = gradients(false);
  const [saved, savedGradients] = gradients(true);
  expect(saved.equal(plain)).toBe(true);
  for (const [i, gradient] of savedGradients.entries()) expect(gradient.isClose(plainGradients[i]!, { relative: 1e-6 })).toBe(true);
});

test.each(families)("%s: a batch of prompts of different lengths continues each as if it were alone", (name) => {
  const { model } = loadModel(golden(name));
  const prompts = [[5, 6, 7, 8, 9, 10], [11], [12, 13, 14]];
  const together = generate(model, prompts, { maxNewTokens: 10 });
  for (const [i, prompt] of prompts.entries()) expect(generate(model, [prompt], { maxNewTokens: 10 })[0]).toEqual(together[i]);
});

test("sampling follows its stream, top-k 1 is greedy, and end ids end a row", () => {
  const { model } = loadModel(golden("llama2"));
  const greedy = generate(model, [[5, 6]], { maxNewTokens: 8 })[0]!;
  const sampled = (seed: number, options: object) =>
    generate(model, [[5, 6]], { maxNewTokens: 8, temperature: 1, stream: stream(seed, "s"), ...options })[0]!;
  expect(sampled(1, { topK: 1 })).toEqual(greedy);
  expect(sampled(1, { topP: 1e-6 })).toEqual(greedy);
  expect(sampled(1, {})).toEqual(sampled(1, {}));
  expect(generate(model, [[5, 6]], { maxNewTokens: 8, endIds: [greedy[3]!] })[0]).toEqual(greedy.slice(0, greedy.indexOf(greedy[3]!)));
});

test("positions beyond those that were learned are refused", () => {
  const { model } = loadModel(golden("gpt2"));
  expect(() => model.logits({ inputIds: torch.zeros([1, 65], { dtype: "int64" }) })).toThrow(/expected at most 64 positions.*received 65/);
});

test.each(families)("%s computes in bfloat16 close to float32", (name) => {
  const inputIds = torch.arange(24).unsqueeze(0);
  const exact = loadModel(golden(name)).model.logits({ inputIds });
  const rounded = loadModel(golden(name), { dtype: "bfloat16" }).model.logits({ inputIds });
  expect(rounded.float().sub(exact).square().mean().div(exact.square().mean()).sqrt().item()).toBeLessThan(0.1);
});

test("a uniform fresh model costs log V per token", () => {
  manualSeed(1);
  const model = new Decoder(
    decoderConfig({ vocabSize: 50, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, initializerRange: 1e-6 }),
  );
  const ids = torch.arange(40).unsqueeze(0);
  expect(nn.crossEntropy(model.logits({ inputIds: ids }).at(0), ids.at(0)).item()).toBeCloseTo(Math.log(50), 3);
});

test("damaged model folders are refused with the tensor's name", () => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-bad-"));
  const make = (name: string, change: (tensors: Map<string, Tensor>, config: Record<string, unknown>) => void) => {
    const target = join(folder, name);
    mkdirSync(target);
    const reader = openSafetensors(join(golden("llama2"), "model.safetensors"));
    const tensors = new Map(reader.names.map((key) => [key, reader.read(key)]));
    const config = JSON.parse(readFileSync(join(golden("llama2"), "config.json"), "utf8"));
    change(tensors, config);
    writeSafetensors(join(target, "model.safetensors"), tensors);
    writeFileSync(join(target, "config.json"), JSON.stringify(config));
    return target;
  };
  const name = "model.layers.1.mlp.up_proj.weight";
  try {
    expect(() => loadModel(make("missing", (tensors) => tensors.delete(name)))).toThrow(`lack ${name}`);
    expect(() => loadModel(make("shape", (tensors) => tensors.set(name, torch.ones([3, 3]))))).toThrow(
      /up_proj.weight: expected shape \[56, 32\]/,
    );
    expect(() => loadModel(make("type", (tensors) => tensors.set(name, torch.ones([56, 32], { dtype: "int64" }))))).toThrow(
      /expected a floating point type, received "int64"/,
    );
    expect(() => loadModel(make("extra", (tensors) => tensors.set("model.layers.0.mlp.upproj.weight", torch.ones([1]))))).toThrow(
      /nearest name is/,
    );
    expect(() => loadModel(make("family", (_, config) => (config.model_type = "mamba")))).toThrow(/model_type: expected one of llama/);
    expect(() => loadModel(join(folder, "nothing"))).toThrow(/config.json: expected a Hugging Face model folder/);
    const pickled = make("pickled", () => {});
    rmSync(join(pickled, "model.safetensors"));
    writeFileSync(join(pickled, "pytorch_model.bin"), "");
    expect(() => loadModel(pickled)).toThrow(/pickled weights can run code/);
    const sharded = make("sharded", () => {});
    rmSync(join(sharded, "model.safetensors"));
    writeFileSync(
      join(sharded, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { "model.norm.weight": "../missing/model.safetensors" } }),
    );
    expect(() => loadModel(sharded)).toThrow(/not a plain file name beside the index/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
