/** A model learns Basque with tokens of its own: from the recipe to the saved folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadModel } from "../model/index.ts";
import { resolveRecipe } from "../recipe/index.ts";
import { openTokenizerOf } from "../tokenizer/index.ts";
import { runRecipe } from "./index.ts";

const quickstart = new URL("../../../../examples/quickstart/", import.meta.url).pathname;

test("the tokenizer and the model grow together, and bits per byte of Basque fall", async () => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-extend-"));
  try {
    const recipe = resolveRecipe({
      name: "extended",
      model: join(quickstart, "base"),
      tokenizer: { extend: { newTokens: 60, corpora: ["basque"], maxBytes: 200_000 } },
      corpora: { basque: { path: join(quickstart, "basque.jsonl.gz"), heldOut: { share: 0.05 } } },
      train: { steps: 4, sequenceLength: 64, microBatchSize: 4 },
      stages: [{ name: "basque", mixture: { sources: [{ corpus: "basque" }] } }],
      evaluate: { everySteps: 4, maxTokensPerCorpus: 1000 },
    });
    const [summary] = await runRecipe(recipe, { baseFolder: folder });
    const { before, after, modelFolder } = summary!.result;
    const old = await openTokenizerOf(join(quickstart, "base"));
    const tokenizer = await openTokenizerOf(modelFolder!);
    expect(tokenizer.vocabSize).toBe(old.vocabSize + 60);
    expect(loadModel(modelFolder!).model.config.vocabSize).toBe(tokenizer.vocabSize);
    expect(after.get("basque")!).toBeLessThan(before.get("basque")!);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
