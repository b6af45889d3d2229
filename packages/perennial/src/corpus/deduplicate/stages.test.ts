import { existsSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { contractToStars } from "./components.ts";
import { forecastDeduplication, measureSketchRate } from "./forecast.ts";
import { documentNumber, RecordSorter, readRecords, rowOf, shardOf } from "./records.ts";
import { type DuplicateSettings, duplicateSchema } from "./sketch.ts";
import { duplicateDecisions, findClusters, mergeBucket, writeSignatures } from "./stages.ts";
import { openDuplicateRun, paths } from "./workspace.ts";

// In memory where there is such a folder: what is tested is kills, not power cuts, and flushing a shared disk is slow.
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "deduplicate-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = () => join(root, String(folders++));

const golden = JSON.parse(readFileSync(new URL("./golden/minhash.json", import.meta.url), "utf8")) as {
  shards: string[][];
  clusters: [shard: number, row: number][][];
};
const fineweb = duplicateSchema.parse({ method: "minhash" });
const SMALL = 4096;

async function deduplicate(shards: string[][], settings: DuplicateSettings, earlier?: string, at = folder(), memoryBytes = SMALL) {
  openDuplicateRun(at, settings, shards.length, earlier);
  for (const [shard, texts] of shards.entries())
    await writeSignatures(
      at,
      shard,
      texts.map((text) => ({ text })),
      memoryBytes,
    );
  for (let band = 0; band < (settings.method === "exact" ? 1 : settings.numBands); band++) mergeBucket(at, band, memoryBytes);
  const counts = findClusters(at, memoryBytes);
  const decisions = shards.map((texts, shard) => texts.map((_, row) => row).map(duplicateDecisions(at, shard)));
  return { at, counts, decisions };
}

test("clusters equal the reference implementation's; the oldest document stays", async () => {
  const { decisions, counts } = await deduplicate(golden.shards, fineweb);
  const groups = new Map<number, [number, number][]>();
  for (const [shard, rows] of decisions.entries())
    for (const [row, { keep, clusterSize, original }] of rows.entries()) {
      expect(keep).toBe(original === documentNumber(shard, row));
      if (clusterSize > 1) groups.set(original, [...(groups.get(original) ?? []), [shard, row]]);
    }
  expect([...groups.values()]).toHaveLength(golden.clusters.length);
  expect(new Set([...groups.values()].map((group) => JSON.stringify(group)))).toEqual(
    new Set(golden.clusters.map((group) => JSON.stringify(group))),
  );
  for (const [original, members] of groups) {
    expect(members[0]).toEqual([shardOf(original), rowOf(original)]);
    for (const [shard, row] of members) expect(decisions[shard]![row]!.clusterSize).toBe(members.length);
  }
  expect(counts.clusters).toBe(golden.clusters.length);
  expect(counts.members).toBe(golden.clusters.flat().length);
});

test("memory bounds what is held, not what is found", async () => {
  const [small, large] = [
    await deduplicate(golden.shards, fineweb),
    await deduplicate(golden.shards, fineweb, undefined, folder(), 2 ** 24),
  ];
  expect(small.decisions).toEqual(large.decisions);
});

test("a later corpus against the earlier index loses what all at once would lose", async () => {
  const [first, second, third] = golden.shards as [string[], string[], string[]];
  const together = await deduplicate([first, second, third], fineweb);
  const january = await deduplicate([first], fineweb);
  const february = await deduplicate([second], fineweb, january.at);
  const march = await deduplicate([third], fineweb, february.at);
  // A later document may join two earlier clusters; it is dropped all the same, and what was kept stays kept.
  expect(january.decisions[0]!.filter(({ keep }) => keep).length).toBeGreaterThanOrEqual(
    together.decisions[0]!.filter(({ keep }) => keep).length,
  );
  expect(march.decisions[0]!.map(({ keep }) => keep)).toEqual(together.decisions[2]!.map(({ keep }) => keep));
  expect(march.decisions[0]!.some(({ keep }) => !keep)).toBe(true);
});

test("exact duplicates share all their bytes", async () => {
  const { decisions } = await deduplicate(
    [
      ["same", "other", "Same"],
      ["same", "", "other", ""],
    ],
    { method: "exact" },
  );
  expect(decisions.map((rows) => rows.map(({ keep }) => keep))).toEqual([
    [true, true, true],
    [false, true, false, true],
  ]);
  expect(decisions[0]![0]!.clusterSize).toBe(2);
});

test("name spaces are deduplicated apart, rows left out keep their numbers", async () => {
  const at = folder();
  openDuplicateRun(at, { method: "exact" }, 1);
  const counts = await writeSignatures(at, 0, [
    { text: "a", nameSpace: "eng" },
    undefined,
    { text: "a", nameSpace: "fra" },
    { text: "a", nameSpace: "eng" },
  ]);
  expect(counts).toMatchObject({ rows: 4, sketched: 3 });
  mergeBucket(at, 0);
  findClusters(at);
  expect([0, 1, 2, 3].map(duplicateDecisions(at, 0)).map(({ keep }) => keep)).toEqual([true, true, true, false]);
});

test("a finished task is not run again, an unfinished one is, and stages keep their order", async () => {
  const at = folder();
  openDuplicateRun(at, { method: "exact" }, 2);
  await writeSignatures(at, 0, [{ text: "a" }]);
  expect(() => mergeBucket(at, 0)).toThrow(/000001\.json is missing: run stage 1 of shard 1/);
  const poison = (function* (): Generator<{ text: string }, void, void> {
    yield { text: "a" };
    throw new Error("disk full");
  })();
  await expect(writeSignatures(at, 1, poison)).rejects.toThrow("disk full");
  await writeSignatures(at, 1, [{ text: "a" }]);
  expect(await writeSignatures(at, 0, poison)).toMatchObject({ rows: 1 });
  mergeBucket(at, 0);
  expect(() => duplicateDecisions(at, 0)).toThrow(/run stage 3 first/);
  findClusters(at);
  expect(duplicateDecisions(at, 1)(0)).toEqual({ keep: false, clusterSize: 2, original: 0 });
});

test("other settings are refused, by field", () => {
  const at = folder();
  openDuplicateRun(at, fineweb, 3);
  expect(() => openDuplicateRun(at, fineweb, 4)).toThrow(/plan\.json: expected the plan of this run/);
  expect(() => openDuplicateRun(folder(), { method: "exact" }, 1, at)).toThrow(/settings equal to this run's/);
  expect(() => openDuplicateRun(folder(), fineweb, 1, folder())).toThrow(/earlier deduplication run/);
});

test("a torn file is named, not read", async () => {
  const { at } = await deduplicate([["x", "x"]], { method: "exact" });
  writeFileSync(paths.part(at, 0, 0), new Uint8Array(20));
  unlinkSync(paths.bucket(at, 0));
  expect(() => mergeBucket(at, 0)).toThrow(/000000-000\.keys: the file ends/);
  writeFileSync(paths.duplicates(at), new Uint8Array(30));
  expect(() => duplicateDecisions(at, 0)(0)).toThrow(/ends inside a record/);
});

test("records come out in order and once, whatever the memory", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 5000, size: "max" }), (records) => {
      const at = folder();
      const sorter = new RecordSorter({ wordsPerRecord: 2, memoryBytes: 0, scratch: at });
      for (const [a, b] of records) sorter.push(a, b);
      const path = join(at, "out.records");
      sorter.finish(path);
      const expected = [...new Set(records.map(([a, b]) => a * 64 + b))].sort((a, b) => a - b);
      expect(Array.from(readRecords(path, 2), ([a, b]) => a! * 64 + b!)).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

test("star contraction equals union by search, on any graph", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 60 }), fc.boolean(), (edges, chain) => {
      const pairs = chain ? [...edges, ...Array.from({ length: 30 }, (_, i) => [i + 50, i + 51] as [number, number])] : edges;
      const at = folder();
      const sorter = new RecordSorter({ wordsPerRecord: 2, memoryBytes: 0, scratch: at });
      for (const [a, b] of pairs) sorter.push(documentNumber(a, 7), documentNumber(b, 7));
      const input = join(at, "edges");
      sorter.finish(input);
      const output = join(at, "stars");
      const counts = contractToStars([input], output, { scratch: join(at, "scratch"), memoryBytes: 0 });
      const label = Array.from({ length: 100 }, (_, i) => i);
      for (let changed = true; changed; ) {
        changed = false;
        for (const [a, b] of pairs) {
          const least = Math.min(label[a]!, label[b]!);
          if (label[a] !== least || label[b] !== least) changed = true;
          label[a] = label[b] = least;
        }
      }
      const size = (root: number) => label.filter((other) => other === root).length;
      const expected = label.flatMap((root, node) =>
        size(root) > 1 ? [[documentNumber(node, 7), documentNumber(root, 7), size(root)]] : [],
      );
      expect(Array.from(readRecords(output, 3), (record) => [...record])).toEqual(expected);
      expect(counts.members).toBe(expected.length);
    }),
    { numRuns: 40 },
  );
});

test("planted near duplicates are found as often as the formula says", async () => {
  // 60 pairs of 400 words; changing one word changes 5 of 396 shingles, so that k far-apart changes leave J = (396 − 5k)/(396 + 5k).
  const words = (seed: number) => Array.from({ length: 400 }, (_, i) => letters((seed * 7919 + i * 104729) % 1_000_003));
  const letters = (n: number): string => (n > 0 ? letters(Math.floor(n / 26)) : "") + String.fromCharCode(97 + (n % 26));
  const texts: string[] = [];
  for (let pair = 0; pair < 60; pair++) {
    const text = words(pair + 1);
    texts.push(text.join(" "));
    for (let k = 0; k < 8; k++) text[20 + 40 * k] = `changed${letters(pair)}q${letters(k)}`;
    texts.push(text.join(" "));
  }
  const { decisions } = await deduplicate([texts], fineweb, undefined, folder(), 2 ** 22);
  const dropped = decisions[0]!.filter(({ keep }) => !keep).length;
  const similarity = (396 - 40) / (396 + 40); // 0.817, P = 0.957: 57.4 of 60 expected, standard deviation 1.6
  expect(similarity).toBeCloseTo(0.8165, 4);
  expect(dropped).toBeGreaterThanOrEqual(52);
  expect(decisions[0]!.every(({ keep }, row) => keep || row % 2 === 1)).toBe(true);
});

test("the forecast gives the bytes that a run then takes", async () => {
  const { at } = await deduplicate(golden.shards, fineweb);
  const numDocuments = golden.shards.flat().length;
  const forecast = forecastDeduplication({ settings: fineweb, numDocuments, documentsPerSecond: 1000, workers: 2 });
  const signatureBytes = golden.shards.reduce((sum, _, shard) => sum + readFileSync(paths.part(at, shard, 0)).length, 0);
  expect(forecast.signatureBytes).toBe(signatureBytes);
  const keyBytes = Array.from({ length: 14 }, (_, band) => readFileSync(paths.keys(at, band)).length).reduce((a, b) => a + b);
  expect(forecast.bucketBytes).toBeGreaterThanOrEqual(keyBytes);
  expect(forecast.seconds.signatures).toBeCloseTo(numDocuments / 2000 + signatureBytes / 100e6, 9);
  expect(
    measureSketchRate(
      fineweb,
      golden.shards[0]!.map((text) => ({ text })),
    ),
  ).toBeGreaterThan(0);
});
