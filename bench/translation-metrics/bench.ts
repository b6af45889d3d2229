/**
 * Question: do our BLEU, chrF++ and paired bootstrap take less time than sacreBLEU's, with the same answers?
 * Contenders interleaved (ours, sacreBLEU, ours, …), answers compared before times, medians reported.
 *   npx tsx bench/translation-metrics/bench.ts PYTHON       PYTHON: an interpreter with sacrebleu
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pairedBootstrap } from "../../packages/perennial/src/evaluate/significance/index.ts";
import { bleu, bleuMetric, chrf, corpusStatistics } from "../../packages/perennial/src/evaluate/translation/index.ts";
import { stream } from "../../packages/perennial/src/stream.ts";

const NUM_SEGMENTS = 2000;
const ROUNDS = 7;

const python = process.argv[2] ?? "python3";
const golden = new URL("../../packages/perennial/src/evaluate/significance/golden/significance.json", import.meta.url);
const texts: string[] = JSON.parse(readFileSync(golden, "utf8")).references;

// Every segment is unique: sacreBLEU remembers tokenized segments, which would flatter it.
const random = stream(1, "translation-metrics");
const damaged = (text: string, rate: number) => text.split(" ").filter(() => random.uniform() > rate).join(" "); // biome-ignore format: one line
const references = Array.from(
  { length: NUM_SEGMENTS },
  (_, i) => `${texts[i % texts.length]} ${random.integer(1e9)}, ${texts[(i * 7) % texts.length]}`,
);
const baseline = references.map((text) => damaged(text, 0.2));
const system = references.map((text) => damaged(text, 0.195));

const perSegment = references.map((reference) => [reference]);
const tasks: Record<string, () => number> = {
  bleu: () => bleu(system, perSegment).score,
  "chrf++": () => chrf(system, perSegment, { wordOrder: 2 }).score,
  "paired bootstrap": () => {
    const metric = bleuMetric();
    const rows = (hypotheses: string[]) => corpusStatistics(metric, hypotheses, perSegment);
    return pairedBootstrap(rows(baseline), rows(system), (sums) => metric.score(sums).score).pValue;
  },
};

const folder = mkdtempSync(join(tmpdir(), "translation-metrics-"));
const corpus = join(folder, "corpus.json");
writeFileSync(corpus, JSON.stringify({ references, baseline, system }));
const peer = spawn(python, [new URL("./peer.py", import.meta.url).pathname, corpus], { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

for (const [name, run] of Object.entries(tasks)) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    const value = run();
    const seconds = (performance.now() - start) / 1000;
    peer.stdin.write(`${name}\n`);
    const answer: { seconds: number; value: number } = JSON.parse((await answers.next()).value as string);
    if (Math.abs(answer.value - value) > 1e-9) throw new Error(`${name}: ours ${value}, sacreBLEU ${answer.value}`);
    if (round === 0) continue; // warms up
    ours.push(seconds);
    theirs.push(answer.seconds);
  }
  const [a, b] = [median(ours), median(theirs)];
  console.log(`${name.padEnd(18)} ours ${a.toFixed(3)} s   sacreBLEU ${b.toFixed(3)} s   ratio ${(b / a).toFixed(2)}`);
}
peer.stdin.end();
rmSync(folder, { recursive: true });
