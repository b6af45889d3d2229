/** Writes the extended models that tools/golden/extended_models.py loads: FOLDER/<family>/ and FOLDER/text.json. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMPARED_TEXT, extendedModel, FAMILIES } from "../../packages/perennial/src/adapt/embeddings/testing/extended-models.ts";
import { saveModel } from "../../packages/perennial/src/model/index.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: extended-models.ts FOLDER");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "text.json"), JSON.stringify(COMPARED_TEXT));
for (const name of FAMILIES) {
  const { model, rawConfig, tokenizer } = await extendedModel(name);
  saveModel(join(folder, name), model, { rawConfig, tokenizerVocabSize: tokenizer.vocabSize });
  await tokenizer.save(join(folder, name));
}
