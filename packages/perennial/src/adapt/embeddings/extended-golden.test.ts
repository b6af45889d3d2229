/** Models with an extended vocabulary compute in transformers what they compute here. */
import { openSafetensors, type Tensor, tensor } from "@perennial/torch";
import { expect, test } from "vitest";
import { COMPARED_TEXT, extendedModel, FAMILIES } from "./testing/extended-models.ts";

// Written by tools/golden/extended_models.py, which loads the folders of the same models.
const golden = openSafetensors(new URL("golden/extended.safetensors", import.meta.url).pathname);

test.each(FAMILIES)("%s", async (name) => {
  const { model, tokenizer, old, original } = await extendedModel(name);
  const ids = [...tokenizer.encode(COMPARED_TEXT, { addSpecialTokens: false })];
  expect(ids).toEqual(golden.read(`${name}.ids`).toArray());
  expect(ids.some((id) => id >= old.vocabSize)).toBe(true);
  const inputIds = tensor([ids], { dtype: "int64" });
  const logits = model.logits({ inputIds }).select(0, 0);
  const expected = golden.read(`${name}.logits`);
  expect(logits.shape).toEqual(expected.shape);
  expect(logits.sub(expected).abs().max().item()).toBeLessThan(1e-4);
  // Old text goes through the same rows as before.
  const before = tensor([[...old.encode("kaixo", { addSpecialTokens: false })]], { dtype: "int64" });
  const [kept, expectedOld] = [model, original].map((one) => one.logits({ inputIds: before }).slice(2, 0, old.vocabSize)) as [
    Tensor,
    Tensor,
  ];
  expect(kept.sub(expectedOld).abs().max().item()).toBeLessThan(1e-4);
});
