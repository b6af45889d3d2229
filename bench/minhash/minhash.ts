/**
 * Question: how many documents a second go through MinHash (14 × 8, 5-grams) on one core, signatures alone and all stages, beside datatrove?
 * Contenders take turns; the peer runs in its own process and times itself. Answers are compared before times: the same documents stay.
 * Run: npx tsx bench/minhash/minhash.ts DOCUMENTS.jsonl PYTHON [ROUNDS]    (documents: bench/extract/texts.ts)
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  duplicateDecisions,
  duplicateSchema,
  findClusters,
  mergeBucket,
  openDuplicateRun,
  sketcher,
  writeSignatures,
} from "../../packages/perennial/src/corpus/deduplicate/index.ts";

const [path, python, rounds = "5"] = process.argv.slice(2) as [string, string, string?];
const given = readFileSync(path, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { text: string });
const settings = duplicateSchema.parse({ method: "minhash" });

interface Times {
  /** Seconds for the signatures in memory. */
  signatures: number;
  /** Seconds for all stages, files included. */
  all: number;
  removed: number;
  peakMegabytes: number;
}

async function ours(documents = given): Promise<Times> {
  const { keys, numBands } = sketcher(settings);
  const out = new BigUint64Array(2 * numBands);
  const started = performance.now();
  for (const document of documents) keys(document, "", out);
  const signatures = (performance.now() - started) / 1000;
  const folder = mkdtempSync(join(tmpdir(), "bench-minhash-"));
  const from = performance.now();
  openDuplicateRun(folder, settings, 1);
  await writeSignatures(folder, 0, documents);
  for (let band = 0; band < numBands; band++) mergeBucket(folder, band);
  findClusters(folder);
  const decide = duplicateDecisions(folder, 0);
  const removed = documents.filter((_, row) => !decide(row).keep).length;
  const all = (performance.now() - from) / 1000;
  rmSync(folder, { recursive: true });
  return { signatures, all, removed, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
}

const peer = (words: string) =>
  JSON.parse(
    execFileSync(python, [join(import.meta.dirname, "peer.py"), path, words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  ) as Times;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const contenders: Record<string, () => Promise<Times> | Times> = {
  perennial: () => ours(),
  datatrove: () => peer("spacy"),
  "datatrove, words split at spaces": () => peer("spaces"),
};
const measured = new Map<string, Times[]>();
for (let round = 0; round < Number(rounds); round++)
  for (const [name, run] of Object.entries(contenders)) measured.set(name, [...(measured.get(name) ?? []), await run()]);
const rows = [...measured].map(([name, times]) => {
  const rate = (key: "signatures" | "all") => Math.round(given.length / median(times.map((time) => time[key])));
  return {
    name,
    "signatures, docs/s": rate("signatures"),
    "all stages, docs/s": rate("all"),
    removed: times[0]!.removed,
    "peak MB": Math.round(median(times.map((time) => time.peakMegabytes))),
  };
});
console.table(rows);

// Linear cost: other words in every copy, so that nothing is a duplicate that was none.
const scaled = (copies: number) =>
  Array.from({ length: copies }, (_, copy) =>
    given.map(({ text }) => ({ text: copy === 0 ? text : text.replace(/\p{L}+/gu, `$&${String.fromCharCode(96 + copy)}`) })),
  ).flat();
const growth = [];
for (const copies of [1, 4, 16]) {
  const documents = scaled(copies);
  const { all, peakMegabytes } = await ours(documents);
  growth.push({
    documents: documents.length,
    "all stages, docs/s": Math.round(documents.length / all),
    "peak MB": Math.round(peakMegabytes),
  });
}
console.table(growth);
