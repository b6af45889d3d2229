/** Ours: the same chain on one core. `tsx perennial-filters.ts PAGES.jsonl`: the second half of the pages is timed; prints JSON. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Document } from "../../packages/perennial/src/corpus/document.ts";
import { applyFilters, finewebQuality, gopherQuality, gopherRepetition } from "../../packages/perennial/src/corpus/filter/index.ts";

const documents = readFileSync(process.argv[2]!, "utf8")
  .trim()
  .split("\n")
  .map(
    (line): Document => ({
      language: "eng",
      script: "Latn",
      provenance: { file: "pages" },
      metadata: {},
      annotations: {},
      ...JSON.parse(line),
    }),
  );
const chain = [
  gopherRepetition.filter({ maxDuplicateParagraphs: null, maxDuplicateParagraphCharacters: null, maxDuplicateLineCharacters: null }),
  finewebQuality.filter({ maxShortLines: null, maxDuplicateLineCharacters: 0.1 }),
  gopherQuality.filter(),
];
const keeps = (document: Document) => applyFilters(chain, document).dropped === undefined;
const half = Math.floor(documents.length / 2);
const keptFirst = documents.slice(0, half).filter(keeps);
const start = performance.now();
const cpuStart = process.cpuUsage();
const keptSecond = documents.slice(half).filter(keeps);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuStart); // microseconds, helper threads of the engine included
const cpuSeconds = (user + system) / 1e6;
const kept = [...keptFirst, ...keptSecond].map(({ id }) => id);
console.log(
  JSON.stringify({ documents: documents.length - half, seconds, cpuSeconds, kept, peakMegabytes: process.resourceUsage().maxRSS / 1024 }),
);
