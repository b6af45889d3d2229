import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "@perennial/torch";
import { expect, test } from "vitest";
import { Decoder, decoderConfig, loadModel, saveModel } from "../../model/index.ts";
import { stream } from "../../stream.ts";
import { charactersToBytes } from "../../tokenizer/byte-characters.ts";
import { extendTokenizer } from "../../tokenizer/index.ts";
import { openGolden, quickstartTexts } from "../../tokenizer/testing/extended-kinds.ts";
import { initializers, resizeModel } from "./index.ts";

const basque = quickstartTexts("basque");
const config = (vocabSize: number, tieWordEmbeddings: boolean) =>
  decoderConfig({ vocabSize, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, tieWordEmbeddings });

test.each(["llama3", "llama2"])("%s: old rows and logits stay, a new row is the mean of its pieces, the folder reloads", async (name) => {
  const old = openGolden(name);
  const { tokenizer, learnt } = await extendTokenizer(old, basque, { newTokens: 20 });
  for (const tied of [true, false]) {
    const model = new Decoder(config(old.vocabSize + 3, tied));
    const resized = resizeModel(model, old, tokenizer, { padToMultipleOf: 64 });
    expect(resized.config.vocabSize).toBe(Math.ceil(tokenizer.vocabSize / 64) * 64);
    expect(resized.lmHead === null).toBe(tied);
    const ids = tensor([[1, 5, 9, 40]], { dtype: "int64" });
    const kept = (one: Decoder) => one.logits({ inputIds: ids }).slice(2, 0, old.vocabSize);
    expect(kept(resized).isClose(kept(model), { relative: 1e-5, absolute: 1e-6 })).toBe(true);
    for (const [before, after] of [
      [model.embedTokens.weight, resized.embedTokens.weight],
      [model.outputWeight, resized.outputWeight],
    ] as const) {
      expect(after.slice(0, 0, old.vocabSize).equal(before.slice(0, 0, old.vocabSize))).toBe(true);
      for (const { id, token } of learnt) {
        const pieces = [...old.encodePiece(name === "llama3" ? charactersToBytes(token)! : token)];
        expect(
          pieces
            .map((piece) => old.idToToken(piece))
            .join("")
            .replace(/(<0x..>)+/g, (run) => Buffer.from(run.replace(/<0x|>/g, ""), "hex").toString()),
        ).toBe(token);
        const rows = pieces.map((piece) => before.select(0, piece).toArray() as number[]);
        const row = after.select(0, id).toArray() as number[];
        for (const [d, value] of row.entries()) expect(value).toBeCloseTo(rows.reduce((sum, one) => sum + one[d]!, 0) / rows.length, 6);
      }
    }
    const folder = mkdtempSync(join(tmpdir(), "perennial-resize-"));
    try {
      saveModel(folder, resized, { tokenizerVocabSize: tokenizer.vocabSize });
      const { model: again } = loadModel(folder);
      expect(again.logits({ inputIds: ids }).equal(resized.logits({ inputIds: ids }))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
});

test("mean and random-normal follow the old rows' mean and deviation", () => {
  const tokenizer = openGolden("llama3");
  const input = { oldTokenizer: tokenizer, newTokenizer: tokenizer, ids: Array.from({ length: 4000 }, (_, i) => i) };
  const matrix = tensor([
    [1, 10],
    [3, 10],
  ]);
  const drawn = (seed: number) => initializers["random-normal"].initialize({ ...input, matrix, stream: stream(seed, "rows") });
  expect(initializers.mean.initialize({ ...input, ids: [7, 8], matrix, stream: stream(0, "") }).toArray()).toEqual([
    [2, 10],
    [2, 10],
  ]);
  const rows = drawn(1);
  const first = rows.select(1, 0);
  expect(first.mean().item()).toBeCloseTo(2, 1);
  expect(first.sub(2).square().mean().item()).toBeCloseTo(1, 1);
  expect(rows.select(1, 1).sub(10).abs().max().item()).toBe(0);
  expect(drawn(1).equal(rows)).toBe(true);
  expect(drawn(2).equal(rows)).toBe(false);
});

test("sizes that do not fit are refused by name", () => {
  const tokenizer = openGolden("llama3");
  const small = new Decoder(config(tokenizer.vocabSize - 1, true));
  expect(() => resizeModel(small, tokenizer, tokenizer)).toThrow(/oldTokenizer: expected at most/);
  const model = new Decoder(config(tokenizer.vocabSize, true));
  expect(() => resizeModel(model, tokenizer, tokenizer, { padToMultipleOf: 0 })).toThrow(/padToMultipleOf/);
});
