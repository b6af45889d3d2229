/**
 * What llama.cpp says of the GGUF files that we write: greedy continuations of tiny models of every architecture, and ids of hard texts.
 *
 *   npm install --prefix FOLDER --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
 *   npx tsx --conditions=source tools/golden/gguf-llama-cpp.ts FOLDER
 *
 * (85 MB, which is why it is no dependency.) Writes packages/perennial/src/model/gguf/golden/llama-cpp.json and
 * packages/perennial/src/tokenizer/gguf/golden/llama-cpp.json, each with the SHA-256 of the files that llama.cpp was shown.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fixtures, lengthOf, makeFixture, namedIds, promptOf } from "../../packages/perennial/src/model/gguf/testing/fixtures.ts";
import { generate, loadModel, writeGgufModel } from "../../packages/perennial/src/model/index.ts";
import {
  bareEntries,
  byteLevelNames,
  hardTexts,
  pieceNames,
  tokenizerFixture,
  writeVocabulary,
} from "../../packages/perennial/src/tokenizer/gguf/testing/fixtures.ts";
import { loadTokenizer } from "../../packages/perennial/src/tokenizer/index.ts";

interface Runtime {
  loadModel(options: object): Promise<Model>;
}
interface Model {
  createContext(
    options: object,
  ): Promise<{ getSequence(): { evaluate(ids: number[], options: object): AsyncIterable<number> }; dispose(): Promise<void> }>;
  tokenize(text: string, specialTokens?: boolean): number[];
  dispose(): Promise<void>;
}

const packageFolder = resolve(process.argv[2] ?? "", "node_modules/node-llama-cpp");
const { getLlama } = (await import(pathToFileURL(join(packageFolder, "dist/index.js")).href)) as {
  getLlama(options: object): Promise<Runtime>;
};
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, progressLogs: false, logLevel: "error" });
const folder = mkdtempSync(join(tmpdir(), "perennial-llama-cpp-"));
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

async function greedy(path: string, prompt: number[], count: number): Promise<number[]> {
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({
    contextSize: 256,
    threads: 1,
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
  });
  const ids: number[] = [];
  for await (const id of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(id);
    if (ids.length === count) break;
  }
  await context.dispose();
  await model.dispose();
  return ids;
}

const models: Record<string, Record<string, { sha256: string; ids: number[] }>> = {};
let apart = 0;
for (const fixture of fixtures) {
  const source = makeFixture(fixture, folder);
  models[fixture.name] = {};
  for (const type of ["F32", "F16", "BF16", "Q8_0"] as const) {
    const path = join(folder, `${fixture.name}.${type}.gguf`);
    writeGgufModel(source, path, { type, name: fixture.name, tokenizer: namedIds(source) });
    const ids = await greedy(path, promptOf(fixture), lengthOf(fixture));
    const [ours] = generate(loadModel(path).model, [promptOf(fixture)], { maxNewTokens: lengthOf(fixture) });
    const equal = JSON.stringify(ours) === JSON.stringify(ids);
    if (!equal) apart++;
    console.log(equal ? "equal" : "APART", fixture.name, type, ids.join(" "), equal ? "" : `| ours ${ours!.join(" ")}`);
    models[fixture.name]![type] = { sha256: sha256(path), ids };
  }
}
const tokenizers: Record<string, { sha256: string; ids: number[][] }> = {};
for (const name of [...byteLevelNames, ...pieceNames]) {
  const path = join(folder, `${name}.vocabulary.gguf`);
  writeVocabulary(path, bareEntries(tokenizerFixture(name)));
  const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
  const ids = hardTexts.map((text) => [...model.tokenize(text, true)]);
  await model.dispose();
  const read = await loadTokenizer(path);
  const wrong = hardTexts.flatMap((text, i) => {
    const ours = [...read.encode(text, { addSpecialTokens: false })];
    return JSON.stringify(ours) === JSON.stringify(ids[i]) ? [] : [{ text: text.slice(0, 60), ours: ours.length, theirs: ids[i]!.length }];
  });
  console.log(wrong.length === 0 ? "equal" : "APART", name, "ids of hard texts", JSON.stringify(wrong));
  tokenizers[name] = { sha256: sha256(path), ids };
}

function save(part: "model" | "tokenizer", value: unknown): void {
  const target = new URL(`../../packages/perennial/src/${part}/gguf/golden/`, import.meta.url);
  mkdirSync(target, { recursive: true });
  writeFileSync(new URL("llama-cpp.json", target), `${JSON.stringify(value)}\n`);
}
save("model", models);
save("tokenizer", tokenizers);
rmSync(folder, { recursive: true });
console.log(`${apart} continuations apart`);
process.exit(0);
