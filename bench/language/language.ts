/**
 * Question: how many documents a second are identified with lid.176 on one core, beside the original fastText?
 * The original is the `fasttext` command (Debian) on the same lines; its start, timed with an empty input, is taken off. Contenders take turns.
 * Run: npx tsx bench/language/language.ts MODEL DOCUMENTS.jsonl [ROUNDS]    (documents: bench/extract/texts.ts)
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { FastTextModel } from "../../packages/perennial/src/corpus/language/index.ts";

const [modelPath, path, rounds = "5"] = process.argv.slice(2) as [string, string, string?];
const texts = readFileSync(path, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => (JSON.parse(line) as { text: string }).text.replace(/[\n\r]/g, " "));
const model = new FastTextModel(modelPath);

function original(input: string): { seconds: number; answers: string[] } {
  const started = performance.now();
  const output = execFileSync("fasttext", ["predict-prob", modelPath, "-", "3"], { input, encoding: "utf8", maxBuffer: 1 << 30 });
  return { seconds: (performance.now() - started) / 1000, answers: output.trimEnd().split("\n") };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const times = { ours: [] as number[], original: [] as number[] };
let differing = 0;
let largest = 0;
for (let round = 0; round < Number(rounds); round++) {
  const started = performance.now();
  const found = texts.map((text) => model.predict(text, { k: 3 }));
  times.ours.push((performance.now() - started) / 1000);
  const { seconds, answers } = original(`${texts.join("\n")}\n`);
  times.original.push(seconds - original("\n").seconds);
  if (round > 0) continue;
  for (const [i, answer] of answers.entries()) {
    const parts = answer.split(" ");
    if (parts[0] !== `__label__${found[i]![0]!.label}`) differing++;
    largest = Math.max(largest, Math.abs(Number(parts[1]) - found[i]![0]!.score));
  }
}
const rate = (seconds: number) => Math.round(texts.length / seconds);
console.log(
  `${texts.length} documents; first labels that differ: ${differing}; largest difference of a score: ${largest.toExponential(1)}`,
);
console.table({
  perennial: { "docs/s": rate(median(times.ours)) },
  fastText: { "docs/s": rate(median(times.original)) },
  ratio: { "docs/s": Number((median(times.original) / median(times.ours)).toFixed(2)) },
});
