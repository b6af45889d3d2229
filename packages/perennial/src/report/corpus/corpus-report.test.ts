import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCorpus } from "../../corpus/run/index.ts";
import { sampleCrawl } from "../../corpus/run/sample-crawl.ts";
import { type CorpusReportData, collectCorpus, spread } from "./collect.ts";
import { Histogram } from "./histogram.ts";
import { corpusPage, size } from "./page.ts";
import { TopCounts } from "./top-counts.ts";

const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "corpus-report-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("of a run", () => {
  let data: CorpusReportData;
  const corpus = join(root, "corpus");
  beforeAll(async () => {
    const input = join(root, "crawl");
    mkdirSync(input);
    for (const [i, bytes] of sampleCrawl({ seed: 2, articles: 30 }, 2).entries()) writeFileSync(join(input, `${i}.warc.gz`), bytes);
    writeFileSync(join(input, "broken.jsonl"), '{"text": 5}\n');
    const model = join(
      dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
      "dist/models/language-identification/assets/lid.176.ftz",
    );
    await runCorpus(corpus, { name: "two", inputs: [input], identify: { model }, languages: { keep: ["eng_Latn"] }, memoryBytes: 1 << 20 });
    data = await collectCorpus(corpus, { samples: 2 });
  });

  test("the numbers are those of the manifest", () => {
    const { manifest } = data;
    const total = (histograms: ReadonlyMap<string, Histogram>) => [...histograms.values()].reduce((sum, one) => sum + one.total, 0);
    expect(data.seen).toEqual({ shards: 3, ofShards: 3, documents: manifest.documents });
    expect(total(data.lengths)).toBe(manifest.documents);
    // Scores are of all pages that were identified, French ones too.
    expect(total(data.languageScores)).toBe(manifest.funnel.extract!.documentsOut);
    expect([...data.clusterSizes.values()].reduce((sum, count) => sum + count, 0)).toBe(manifest.documents);
    expect(data.domains.reduce((sum, { documents }) => sum + documents, 0)).toBe(manifest.documents);
    expect(data.domains.every(({ host }) => /^site\d\.example\.org$/.test(host))).toBe(true);
    expect(data.kept.get("eng_Latn")).toHaveLength(2);
    expect(data.dropped.get("language: language-not-wanted")![0]!.why).toMatchObject({ reason: "language-not-wanted", value: "fra_Latn" });
    expect([...data.dropped.keys()]).toContain("deduplicate: duplicate");
  });

  test("the page shows them, and nothing of the data becomes a tag", () => {
    const evil = { id: "x", url: undefined, label: "eng_Latn", text: "<script>alert(1)</script>" };
    const page = corpusPage({ ...data, kept: new Map([["eng_Latn", [evil]]]) });
    for (const title of [
      "Funnel",
      "What was not read",
      "Languages",
      "Length",
      "Language scores",
      "Near duplicates",
      "Top domains",
      "Thresholds",
      "Kept",
      "Dropped",
    ])
      expect(page, title).toContain(`<h2>${title}</h2>`);
    expect(page).toContain("language-not-wanted");
    expect(page).toContain("&lt;script&gt;alert(1)");
    expect(page).not.toContain("<script>alert");
    expect(page).not.toMatch(/(?:src|href)="/);
  });

  test("a part is said to be one", async () => {
    const part = await collectCorpus(corpus, { maxDocuments: 1 });
    expect(part.seen.shards).toBeLessThan(3);
    expect(corpusPage(part)).toMatch(/documents of \d of 3 shards, spread over the corpus/);
  });
});

test("a folder without a finished run", async () => {
  await expect(collectCorpus(join(root, "nothing"))).rejects.toThrow(/nothing: expected the folder of a finished corpus run/);
});

test("shards are looked at once each, in an order that is spread", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), (n) => {
      expect([...spread(n)].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }),
  );
  const first = spread(1000)
    .slice(0, 10)
    .sort((a, b) => a - b);
  for (let i = 1; i < first.length; i++) expect(first[i]! - first[i - 1]!).toBeGreaterThan(20);
});

test("a histogram counts everything, in the bin where it belongs", () => {
  const histogram = new Histogram(0, 10, 5);
  for (const value of [-1, 0, 1.9, 2, 9.99, 10, 11]) histogram.add(value);
  expect(histogram.counts).toEqual([3, 1, 0, 0, 3]);
  expect(histogram.outline().x.slice(0, 4)).toEqual([0, 2, 2, 4]);
  expect(histogram.range).toEqual([0, 10]);
});

test("the most frequent names stay in bounded memory, short by n / k at most", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 400 }), fc.integer({ min: 1, max: 12 }), (names, capacity) => {
      const top = new TopCounts(capacity);
      const exact = new Map<string, number>();
      for (const name of names.map(String)) {
        top.add(name);
        exact.set(name, (exact.get(name) ?? 0) + 1);
      }
      const found = new Map(top.top(100));
      expect(found.size).toBeLessThanOrEqual(capacity);
      for (const [name, count] of exact) {
        expect(found.get(name) ?? 0).toBeLessThanOrEqual(count);
        expect(found.get(name) ?? 0).toBeGreaterThanOrEqual(count - names.length / capacity);
      }
    }),
  );
});

test("sizes", () => expect([0, 999, 1500, 2.5e9].map(size)).toEqual(["0 B", "999 B", "1.5 kB", "2.5 GB"]));
