import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stream } from "../../stream.ts";
import type { Document } from "../document.ts";
import { statistics } from "../filter/index.ts";
import { readDocuments } from "../formats/index.ts";
import { englishThresholds } from "../thresholds/index.ts";
import { holdRun } from "./lock.ts";
import type { CorpusManifest } from "./manifest.ts";
import { packStatistics, STATISTIC_NAMES, unpackStatistics } from "./measured.ts";
import { openCorpus, PHASES, places, planCorpus, tasksOf } from "./plan.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { runCorpus, runCorpusStage } from "./run.ts";
import { Sampler } from "./sample.ts";
import { sampleCrawl, samplePages } from "./sample-crawl.ts";
import { corpusStages, taskIndexOf } from "./stages.ts";
import { runCorpusTask } from "./tasks.ts";
import { type BuiltRun, buildRun } from "./testing/built-run.ts";

// In memory where there is such a folder: what is tested is kills, not power cuts, and flushing a shared disk is slow.
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "corpus-run-"));
afterAll(() => rmSync(root, { recursive: true }));
const model = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
  "dist/models/language-identification/assets/lid.176.ftz",
);
const options = { seed: 1, articles: 45 };
const SHARDS = 4;
const input = join(root, "crawl");

beforeAll(() => {
  mkdirSync(input);
  for (const [i, bytes] of sampleCrawl(options, SHARDS).entries()) writeFileSync(join(input, `${i}.warc.gz`), bytes);
});

let folders = 0;
const folder = () => join(root, `run-${folders++}`);
const recipe = (more: Partial<CorpusRecipeInput> = {}): CorpusRecipeInput => ({
  inputs: [input],
  identify: { model },
  extract: { maxSeconds: 60 },
  languages: { keep: ["eng_Latn", "fra_Latn"] },
  checkpointItems: 4,
  memoryBytes: 1 << 20,
  ...more,
});
const hashes = ({ files }: CorpusManifest) => files.map(({ path, sha256 }) => [path, sha256]);
async function documentsOf(at: string, manifest: CorpusManifest): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of readDocuments(manifest.files.map(({ path }) => join(at, path)))) documents.push(document);
  return documents;
}

let undisturbed: CorpusManifest;

test("a crawl becomes a corpus: one copy of each article, by language, every page accounted for", async () => {
  const at = folder();
  undisturbed = await runCorpus(at, recipe());
  const pages = samplePages(options);
  const documents = await documentsOf(at, undisturbed);
  const article = new Map(pages.map((page) => [page.url, page]));
  const kept = documents.map(({ url }) => article.get(url!)!.article);
  expect(new Set(kept).size).toBe(kept.length); // no article twice
  expect(kept.length).toBeGreaterThan(40); // and few lost: short French pages may be below their language's threshold
  for (const { url, language, clusterSize, text } of documents) {
    const page = article.get(url!)!;
    expect(language).toBe(page.language === "en" ? "eng" : "fra");
    expect(text).not.toContain("cookie");
    expect(clusterSize).toBeLessThanOrEqual(pages.filter((other) => other.article === page.article).length);
  }
  const { funnel } = undisturbed;
  expect(funnel.read).toMatchObject({ documentsIn: pages.length, documentsOut: pages.length });
  expect(funnel.language!.documentsIn).toBe(funnel.extract!.documentsOut);
  expect(funnel.deduplicate!.documentsIn).toBe(funnel.language!.documentsOut);
  expect(funnel.clean!.documentsOut).toBe(undisturbed.documents);
  for (const { documentsIn, documentsOut, dropped } of Object.values(funnel))
    expect(documentsIn - documentsOut).toBe(Object.values(dropped).reduce((sum, count) => sum + count, 0));
  let droppedDocuments = 0;
  for await (const _ of readDocuments(Array.from({ length: SHARDS }, (_, i) => places.dropped(at, "write", i)).filter(existsSync), {
    textField: "excerpt",
  }))
    droppedDocuments++;
  expect(droppedDocuments + undisturbed.documents).toBe(funnel.extract!.documentsOut);
  expect(readFileSync(places.card(at), "utf8")).toContain(`| eng_Latn | ${undisturbed.languages.eng_Latn!.documents} |`);
});

test("any scheduler can run the tasks of a phase, in any order and more than once", async () => {
  const at = folder();
  const plan = await openCorpus(at, recipe());
  for (const phase of PHASES) for (const task of tasksOf(plan, phase).reverse()) for (let i = 0; i < 2; i++) await runCorpusTask(at, task);
  expect(hashes(JSON.parse(readFileSync(places.manifest(at), "utf8")) as CorpusManifest)).toEqual(hashes(undisturbed));
});

let built: BuiltRun;
beforeAll(async () => {
  built = await buildRun("corpus-run-test", { threads: true });
});
afterAll(() => built.remove());

/** One life of a run: killed `afterMilliseconds` after its first safe step, or left alone. */
async function live(at: string, workers: number, afterMilliseconds?: number): Promise<string> {
  const { end, errors } = await built.live({ folder: at, recipe: recipe(), workers, afterMilliseconds });
  if (end === "failed") throw new Error(`the run ended by itself, unfinished: ${errors}`);
  return end;
}
const manifestOf = (at: string) => JSON.parse(readFileSync(places.manifest(at), "utf8")) as CorpusManifest;

test("two worker threads give the same files as one, also when they take over half-way", async () => {
  const at = folder();
  const stop = new AbortController();
  let tasks = 0;
  const first = runCorpus(at, recipe(), { signal: stop.signal, onTask: () => void (++tasks === 2 && stop.abort(new Error("enough"))) });
  await expect(first).rejects.toThrow("enough");
  expect(await live(at, 2)).toBe("finished");
  expect(hashes(manifestOf(at))).toEqual(hashes(undisturbed));
});

test("killed 20 times, inside of shards too, the run ends with the same files", async () => {
  const at = folder();
  const random = stream(2, "kill-test");
  let kills = 0;
  // Lives with one and with two workers in turn; each ends within 12 ms of its first safe step, whatever it is doing then.
  while (kills < 20)
    if ((await live(at, 1 + (kills % 5 === 4 ? 1 : 0), random.uniform() * 12)) === "killed") kills++;
    else throw new Error(`finished after ${kills} kills; the crawl is too small`);
  expect(await live(at, 1)).toBe("finished");
  expect(hashes(manifestOf(at))).toEqual(hashes(undisturbed));
  expect(manifestOf(at).funnel).toEqual(undisturbed.funnel);
});

test("next month's crawl is deduplicated against this one", async () => {
  const january = folder();
  await runCorpus(january, recipe({ inputs: [join(input, "0.warc.gz"), join(input, "1.warc.gz")] }));
  const february = await runCorpus(folder(), recipe({ inputs: [join(input, "2.warc.gz"), join(input, "3.warc.gz")], earlier: january }));
  const alone = await runCorpus(folder(), recipe({ inputs: [join(input, "2.warc.gz"), join(input, "3.warc.gz")] }));
  expect(february.documents).toBeLessThan(alone.documents);
  expect(february.funnel.deduplicate!.dropped.duplicate).toBeGreaterThan(alone.funnel.deduplicate!.dropped.duplicate ?? 0);
});

test("another recipe in the same folder is refused", async () => {
  const at = folder();
  await openCorpus(at, recipe());
  await expect(openCorpus(at, recipe({ crawl: "other" }))).rejects.toThrow(
    /run\.json: expected the recipe and the inputs of this run; crawl differs\. --redo runs read/,
  );
  await expect(openCorpus(folder(), recipe({ inputs: [join(root, "nothing")] }))).rejects.toThrow(/nothing/);
});

test("--redo runs what another recipe changes, and nothing else", async () => {
  const at = folder();
  const marks = () => {
    const times = new Map<string, number>();
    for (const phase of PHASES) {
      const path = places.mark(at, { phase, index: 0 });
      if (existsSync(path)) times.set(phase, statSync(path).mtimeMs);
    }
    return times;
  };
  const stopWords = englishThresholds().stopWords;
  const withBound = (minWords: number) => {
    const english = englishThresholds();
    return recipe({ thresholds: { given: [{ ...english, stopWords, gopherQuality: { ...english.gopherQuality, minWords } }] } });
  };
  await runCorpus(at, withBound(50));
  const before = marks();
  await expect(runCorpus(at, withBound(100_000))).rejects.toThrow(
    /thresholds\.given differs\. --redo runs thresholds and what follows again/,
  );
  const { languages } = await runCorpus(at, withBound(100_000), { redo: true });
  expect(Object.keys(languages)).toEqual(["fra_Latn"]);
  const after = marks();
  const again = PHASES.filter((phase) => before.has(phase) && before.get(phase) !== after.get(phase));
  expect(again).toEqual(["thresholds", "write", "manifest"]);
});

test("machines that share a folder do their shares and wait for each other", async () => {
  const at = folder();
  const share = (index: number) => runCorpus(at, recipe(), { share: { index, count: 2 } });
  const [manifest] = await Promise.all([share(0), share(1)]);
  expect(hashes(manifest)).toEqual(hashes(undisturbed));
});

test("a second run on top of a living one is refused; that of a dead one is taken over", async () => {
  const at = folder();
  const release = holdRun(at, "run-0-of-1");
  await expect(runCorpus(at, recipe())).rejects.toThrow(/process \d+ is at work on this run/);
  release();
  const [lock] = readdirSync(join(at, "locks"));
  expect(lock).toBeUndefined();
  writeFileSync(join(at, "locks", `${hostname()}-run-0-of-1`), JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1, started: null }));
  holdRun(at, "run-0-of-1")();
});

test("stages: a job array each, after those they need; a member's index from the scheduler", async () => {
  const plan = await planCorpus(recipe({ formats: ["parquet"] }));
  const stages = corpusStages(plan, { recipe: "recipe.yaml", folder: "out", maxTasks: 3 });
  expect(stages.map(({ name, tasks, after }) => [name, tasks, after])).toEqual([
    ["read", 3, []],
    ["languages", 1, ["read"]],
    ["signatures", 3, ["languages"]],
    ["buckets", 3, ["signatures"]],
    ["clusters", 1, ["buckets"]],
    ["measure", 3, ["clusters"]],
    ["thresholds", 1, ["measure"]],
    ["write", 3, ["thresholds"]],
    ["publish", 3, ["write"]],
    ["manifest", 1, ["publish"]],
  ]);
  expect(stages[0]!.args).toEqual(["corpus", "run", "recipe.yaml", "--output", "out", "--stage", "read", "--task-count", "3"]);
  const fitted = await planCorpus(recipe({ deduplicate: null, thresholds: { fit: { english: "e", references: { kab_Latn: "k" } } } }));
  const named = new Map(corpusStages(fitted, { recipe: "r", folder: "f" }).map((stage) => [stage.name, stage]));
  expect(named.get("references")).toMatchObject({ tasks: 2, after: [] });
  expect(named.get("measure")!.after).toEqual(["languages", "references"]);
  expect(taskIndexOf({ SLURM_ARRAY_TASK_ID: "7" })).toBe(7);
  expect(taskIndexOf({ LSB_JOBINDEX: "1" })).toBe(0);
  expect(taskIndexOf({ LSB_JOBINDEX: "0" })).toBeUndefined();
  expect(taskIndexOf({ SGE_TASK_ID: "undefined" })).toBeUndefined();
});

test("a job array's members in any order, more or fewer than tasks, make the same corpus", async () => {
  const at = folder();
  const plan = await openCorpus(at, recipe());
  for (const { name } of corpusStages(plan, { recipe: "r", folder: at }))
    for (const index of [2, 0, 1]) await runCorpusStage(at, plan, name, { share: { index, count: 3 } });
  expect(hashes(manifestOf(at))).toEqual(hashes(undisturbed));
});

test("samples of shards join to a sample of all, whatever the order", () => {
  const ids = Array.from({ length: 3000 }, (_, i) => `document ${i}`);
  const whole = new Sampler<string>(100);
  for (const id of ids) whole.add(id, () => id);
  const parts = [ids.slice(0, 2500), ids.slice(2500, 2600), ids.slice(2600)].map((part) => {
    const sampler = new Sampler<string>(200);
    for (const id of part) sampler.add(id, () => id);
    return sampler.toJSON();
  });
  for (const order of [parts, parts.toReversed()]) {
    const joined = new Sampler<string>(100);
    for (const part of order) joined.merge(part);
    expect(joined.toJSON().entries).toEqual(whole.toJSON().entries);
  }
  expect(whole.toJSON().entries).toHaveLength(100);
});

test("the numbers of a document are kept exactly, each under its name", () => {
  const document = { id: "1", text: "One line.\nAnother one, and the third.", provenance: { file: "f" }, metadata: {}, annotations: {} };
  const numbers = statistics(document);
  expect(new Set(STATISTIC_NAMES)).toEqual(new Set(Object.keys(numbers)));
  expect(unpackStatistics(JSON.parse(JSON.stringify(packStatistics(numbers))) as number[])).toEqual(numbers);
});
