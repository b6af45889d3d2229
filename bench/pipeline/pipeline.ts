/**
 * Question: how many pages a second go from WARC to a clean, deduplicated corpus on one core, beside datatrove with the same steps?
 *   WARC → main text → language → MinHash (14 × 8, 5-grams) → Gopher repetition, FineWeb quality, Gopher quality → JSONL
 * And does the cost grow linearly: 1×, 4×, 16× the pages, ours alone. Contenders take turns, each in a process of its own that times itself.
 * The crawl: help pages of five languages (LibreOffice, MPL-2.0; Debian's `libreoffice-help-*`, unpacked with `dpkg -x`), two to a page, in the
 * chrome of sites: as many different ones as asked for, of the same kind at every size.
 * Run: npx tsx bench/pipeline/pipeline.ts FOLDER PYTHON [PAGES] [ROUNDS]    FOLDER: …/usr/share/libreoffice/help
 *      npx tsx bench/pipeline/pipeline.ts FOLDER scaling [PAGES]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { warcResponse } from "../../packages/perennial/src/corpus/warc/index.ts";
import { mixedPages } from "../extract/pages.ts";

const [help, python, pages = "1500", rounds = "3"] = process.argv.slice(2) as [string, string, string?, string?];
const model = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
  "dist/models/language-identification/assets/lid.176.ftz",
);
const root = mkdtempSync(join(tmpdir(), "bench-pipeline-"));

interface Result {
  /** Wall and processor time of the whole pipeline. */
  seconds: number;
  cpuSeconds: number;
  peakMegabytes: number;
  documents: number;
}

/** So many pages, in shards of 100; every sixth is the one before it with a word changed. */
function writeCrawl(folder: string, count: number): void {
  mkdirSync(folder);
  let shard: Uint8Array[] = [];
  let page = 0;
  const add = (html: string) => {
    if (page >= count) return;
    shard.push(warcResponse({ url: `https://site${page % 9}.example.org/${page}`, html, date: "2026-11-01T00:00:00Z" }));
    if (++page % 100 !== 0 && page < count) return;
    writeFileSync(join(folder, `${String(Math.ceil(page / 100)).padStart(4, "0")}.warc.gz`), Buffer.concat(shard));
    shard = [];
  };
  let original = 0;
  for (const html of mixedPages(help, count)) {
    add(html);
    if (++original % 5 === 0) add(html.replace(/\b(the|le|der|die)\b/, "that"));
  }
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
      const count = factor * Number(pages);
      writeCrawl(crawl, count);
      const result = ours(crawl);
      return {
        pages: count,
        kept: result.documents,
        "CPU s": result.cpuSeconds,
        "CPU ms per page": (1000 * result.cpuSeconds) / count,
        "peak MB": result.peakMegabytes,
      };
    });
    console.table(rows);
  } else {
    const crawl = join(root, "crawl");
    const count = Number(pages);
    writeCrawl(crawl, count);
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
