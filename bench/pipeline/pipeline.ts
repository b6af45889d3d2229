/**
 * Question: how many pages a second go from WARC to a clean, deduplicated corpus on one core, beside datatrove with the same steps?
 *   WARC → main text → language → MinHash (14 × 8, 5-grams) → Gopher repetition, FineWeb quality, Gopher quality → JSONL
 * And does the cost grow linearly: 1×, 4×, 16× the pages, ours alone. Contenders take turns, each in a process of its own that times itself.
 * The crawl: help pages of five languages (LibreOffice, MPL-2.0; Debian's `libreoffice-help-*`, unpacked with `dpkg -x`) in the chrome of sites.
 * Run: npx tsx bench/pipeline/pipeline.ts FOLDER PYTHON [PAGES] [ROUNDS]    FOLDER: …/usr/share/libreoffice/help
 *      npx tsx bench/pipeline/pipeline.ts FOLDER scaling [PAGES]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { warcResponse } from "../../packages/perennial/src/corpus/warc/index.ts";
import { truePages } from "../extract/pages.ts";

const [help, python, pages = "300", rounds = "3"] = process.argv.slice(2) as [string, string, string?, string?];
const model = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
  "dist/models/language-identification/assets/lid.176.ftz",
);
const root = mkdtempSync(join(tmpdir(), "bench-pipeline-"));

interface Result {
  /** Wall and processor time of the whole pipeline, and of its part up to the identified texts. */
  seconds: number;
  cpuSeconds: number;
  peakMegabytes: number;
  documents: number;
}

/** So many pages, in shards of 100; every fifth is there a second time with a word changed. */
function writeCrawl(folder: string, count: number): number {
  mkdirSync(folder);
  const originals = truePages(help, Math.ceil(count / 6));
  const all = originals
    .flatMap(({ html }, i) => (i % 5 === 0 ? [html, html.replace(/\b(the|le|der|die)\b/, "that")] : [html]))
    .slice(0, count);
  for (let from = 0; from < all.length; from += 100) {
    const records = all
      .slice(from, from + 100)
      .map((html, i) => warcResponse({ url: `https://site${i % 9}.example.org/${from + i}`, html, date: "2026-11-01T00:00:00Z" }));
    writeFileSync(join(folder, `${String(from / 100).padStart(4, "0")}.warc.gz`), Buffer.concat(records));
  }
  return all.length;
}

const run = (command: string, args: string[]) =>
  JSON.parse(
    execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, OMP_NUM_THREADS: "1" } })
      .trim()
      .split("\n")
      .at(-1)!,
  ) as Result;
const ours = (crawl: string) =>
  run(process.execPath, ["--conditions", "source", "--import", "tsx", join(import.meta.dirname, "ours.ts"), crawl, model]);
const peer = (crawl: string) => run(python, [join(import.meta.dirname, "peer.py"), crawl, model]);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`);
try {
  if (python === "scaling") {
    const rows = [1, 4, 16].map((factor) => {
      const crawl = join(root, `${factor}`);
      const count = writeCrawl(crawl, factor * Number(pages));
      const result = ours(crawl);
      return {
        pages: count,
        "CPU s": result.cpuSeconds,
        "CPU ms per page": (1000 * result.cpuSeconds) / count,
        "peak MB": result.peakMegabytes,
      };
    });
    console.table(rows);
  } else {
    const crawl = join(root, "crawl");
    const count = writeCrawl(crawl, Number(pages));
    const results: Record<"perennial" | "datatrove", Result[]> = { perennial: [], datatrove: [] };
    for (let round = 0; round < Number(rounds); round++) {
      results.perennial.push(ours(crawl));
      results.datatrove.push(peer(crawl));
    }
    const of = (name: "perennial" | "datatrove", key: keyof Result) => median(results[name].map((one) => one[key]));
    console.table(
      (["perennial", "datatrove"] as const).map((name) => ({
        name,
        "pages/s": count / of(name, "seconds"),
        "pages per CPU s": count / of(name, "cpuSeconds"),
        kept: of(name, "documents"),
        "peak MB": of(name, "peakMegabytes"),
      })),
    );
    console.log(
      `ratio: ${(of("datatrove", "cpuSeconds") / of("perennial", "cpuSeconds")).toFixed(1)}× per CPU second, ` +
        `${(of("datatrove", "seconds") / of("perennial", "seconds")).toFixed(1)}× by the clock, ` +
        `memory ${(of("perennial", "peakMegabytes") / of("datatrove", "peakMegabytes")).toFixed(2)}×`,
    );
  }
} finally {
  rmSync(root, { recursive: true });
}
