/**
 * Question: how fast do we learn a Unigram vocabulary, and how short does it make unseen text, beside Hugging Face's trainer
 * and beside BPE of the same size?
 *   npx tsx --conditions source bench/tokenizer/unigram.ts TEXT.jsonl.gz [vocabSize] [rounds]
 * Nine documents of ten are learnt from; tokens are counted on the tenth, by our encoder for all. Rounds are interleaved, the
 * median counts. The peer's Python is $PEER_PYTHON (or python3).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type JsonTokenizer, loadTokenizer, trainTokenizer, trainUnigramTokenizer } from "../../packages/perennial/src/tokenizer/index.ts";

const [path, vocab = "4000", rounds = "3"] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: unigram.ts TEXT.jsonl.gz [vocabSize] [rounds]");
const all: string[] = gunzipSync(readFileSync(path))
  .toString("utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).text);
const [learnt, unseen] = [all.filter((_, i) => i % 10 !== 9), all.filter((_, i) => i % 10 === 9)];
const bytes = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const work = mkdtempSync(join(tmpdir(), "bench-unigram-"));
const texts = join(work, "texts.json");
writeFileSync(texts, JSON.stringify(learnt));

async function peer(): Promise<[JsonTokenizer, number]> {
  const script = fileURLToPath(new URL("peer.py", import.meta.url));
  const out = join(work, "peer.json");
  const { seconds } = JSON.parse(
    execFileSync(process.env.PEER_PYTHON ?? "python3", [script, "unigram", vocab, texts, out], { encoding: "utf8" }),
  );
  return [await loadTokenizer(out), seconds];
}
async function ours(train: typeof trainUnigramTokenizer | typeof trainTokenizer): Promise<[JsonTokenizer, number]> {
  const started = performance.now();
  const { tokenizer } = await train(learnt, { vocabSize: Number(vocab) });
  return [tokenizer, (performance.now() - started) / 1000];
}
const contenders: Record<string, () => Promise<[JsonTokenizer, number]>> = {
  "Unigram, Hugging Face": peer,
  "Unigram, ours": () => ours(trainUnigramTokenizer),
  "byte-level BPE, ours": () => ours(trainTokenizer),
};
const seconds: Record<string, number[]> = {};
const result: Record<string, JsonTokenizer> = {};
for (let round = 0; round < Number(rounds); round++)
  for (const [name, train] of Object.entries(contenders)) {
    const [tokenizer, time] = await train();
    result[name] = tokenizer;
    seconds[name] = [...(seconds[name] ?? []), time];
  }
console.log(`${(bytes(learnt) / 1e6).toFixed(1)} MB learnt, ${(bytes(unseen) / 1e6).toFixed(2)} MB unseen`);
console.log("| | tokens in all | seconds | bytes per token, unseen |\n|---|---|---|---|");
for (const [name, times] of Object.entries(seconds)) {
  const tokens = result[name]!.encodeBatch(unseen, { addSpecialTokens: false }).ids.length;
  const median = times.sort((a, b) => a - b)[times.length >> 1]!;
  console.log(`| ${name} | ${result[name]!.vocabSize} | ${median.toFixed(2)} | ${(bytes(unseen) / tokens).toFixed(3)} |`);
}
