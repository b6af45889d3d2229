/** Loads every fixture of a family and saves it to FOLDER/<name>, for tools/golden/decoder.py to load in transformers: the way back. */
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModel, saveModel } from "../../packages/perennial/src/model/index.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: saved-models.ts FOLDER");
const fixtures = fileURLToPath(new URL("../../packages/perennial/src/model/golden/", import.meta.url));
for (const name of readdirSync(fixtures)) {
  const { model, rawConfig } = loadModel(join(fixtures, name));
  saveModel(join(folder, name), model, { rawConfig });
  // What transformers gave for the original: compared with what it gives for the copy.
  cpSync(join(fixtures, name, "golden.safetensors"), join(folder, name, "golden.safetensors"));
}
