/**
 * Question: how much faster than Hugging Face tokenizers do we encode and train, with equal results?
 *   npx tsx bench/tokenizer/bench.ts FOLDER [rounds]
 * FOLDER holds <language>.txt files, documents separated by three newlines. The peer's Python is $PEER_PYTHON (or python3).
 * Rounds are interleaved, the median counts; ids and merges are compared before times.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTokenizer } from "../../packages/perennial/src/tokenizer/index.ts";
import { LLAMA3_PATTERN } from "../../packages/perennial/src/tokenizer/steps.ts";
import { trainTokenizer } from "../../packages/perennial/src/tokenizer/train.ts";

const [folder, rounds = "3"] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: bench.ts FOLDER [rounds]");
const python = process.env.PEER_PYTHON ?? "python3";
const peer = (...args: string[]) =>
  JSON.parse(execFileSync(python, [fileURLToPath(new URL("peer.py", import.meta.url)), ...args], { encoding: "utf8", maxBuffer: 2 ** 28 }));
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const work = mkdtempSync(join(tmpdir(), "bench-tokenizer-"));

const files = readdirSync(folder)
  .filter((name) => name.endsWith(".txt"))
  .sort();
const languages = files.map((name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const texts = text.split("\n\n\n").filter((part) => part !== "");
  const path = join(work, `${name}.json`);
  writeFileSync(path, JSON.stringify(texts));
  return { name: basename(name, ".txt"), texts, path, megabytes: texts.reduce((sum, part) => sum + Buffer.byteLength(part), 0) / 1e6 };
});

// Training: a fifth of every language.
const sample = languages.flatMap(({ texts }) => texts.filter((_, i) => i % 5 === 0));
const sampleMegabytes = sample.reduce((sum, part) => sum + Buffer.byteLength(part), 0) / 1e6;
const samplePath = join(work, "sample.json");
writeFileSync(samplePath, JSON.stringify(sample));
writeFileSync(`${samplePath}.pattern`, JSON.stringify(LLAMA3_PATTERN));
const VOCAB = 8192;
const peerPath = join(work, "peer.json");
const training: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
let sameMerges = true;
for (let round = 0; round < Number(rounds); round++) {
  training.theirs.push(peer("train", String(VOCAB), samplePath, peerPath).seconds);
  const started = performance.now();
  const { tokenizer } = await trainTokenizer(sample, { vocabSize: VOCAB });
  training.ours.push((performance.now() - started) / 1000);
  const theirs = JSON.parse(readFileSync(peerPath, "utf8")).model;
  const ours = tokenizer.json.model as { merges: unknown; vocab: Record<string, number> };
  sameMerges &&= JSON.stringify(ours.merges) === JSON.stringify(theirs.merges);
  sameMerges &&= Object.entries(theirs.vocab).every(([token, id]) => ours.vocab[token] === id);
}
const row = (cells: (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
const rate = (megabytes: number, seconds: number) => (megabytes / seconds).toFixed(1);
console.log(`training, ${sampleMegabytes.toFixed(1)} MB, ${VOCAB} tokens; equal merges and ids: ${sameMerges}`);
row(["", "peer MB/s", "ours MB/s", "ratio"]);
const [theirSeconds, ourSeconds] = [median(training.theirs), median(training.ours)];
row(["training", rate(sampleMegabytes, theirSeconds), rate(sampleMegabytes, ourSeconds), `${(theirSeconds / ourSeconds).toFixed(1)}×`]);

const tokenizer = await loadTokenizer(peerPath);
tokenizer.encodeBatch(languages[0]!.texts.slice(0, 50));
const times = new Map(
  languages.map(({ name }) => [name, { ours: [] as number[], theirs: [] as number[], single: [] as number[], equal: true }]),
);
for (let round = 0; round < Number(rounds); round++) {
  const theirs = peer("encode", peerPath, ...languages.map(({ path }) => path));
  for (const { name, texts, path } of languages) {
    const time = times.get(name)!;
    time.theirs.push(theirs[path].seconds);
    let started = performance.now();
    const { ids } = tokenizer.encodeBatch(texts, { addSpecialTokens: false });
    time.ours.push((performance.now() - started) / 1000);
    started = performance.now();
    tokenizer.encodeBatch(texts, { addSpecialTokens: false, threads: 1 });
    time.single.push((performance.now() - started) / 1000);
    let checksum = 0;
    for (const id of ids) checksum = (checksum * 31 + id) % 4294967296;
    time.equal &&= ids.length === theirs[path].tokens && checksum === theirs[path].checksum;
  }
}
console.log("\nencoding, MB/s");
row(["language", "MB", "peer, all cores", "ours, one core", "ours, all cores", "ratio, all cores", "equal ids"]);
for (const { name, megabytes } of languages) {
  const { ours, theirs, single, equal } = times.get(name)!;
  const [our, their, one] = [median(ours), median(theirs), median(single)];
  row([
    name,
    megabytes.toFixed(1),
    rate(megabytes, their),
    rate(megabytes, one),
    rate(megabytes, our),
    `${(their / our).toFixed(1)}×`,
    String(equal),
  ]);
}
