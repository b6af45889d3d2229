import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stream } from "../../stream.ts";
import type { Document } from "../document.ts";
import { readDocuments } from "../formats/index.ts";
import { warcRecord, warcResponse } from "../warc/index.ts";
import type { CorpusManifest } from "./manifest.ts";
import { openCorpus, PHASES, places, tasksOf } from "./plan.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { runCorpus } from "./run.ts";
import { sampleCrawl, samplePages } from "./sample-crawl.ts";
import { runCorpusTask } from "./tasks.ts";

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

/** The library as it is built, with a program that runs a recipe and tells its progress, so that a life takes a fifth of a second to start. */
const built = fileURLToPath(new URL("../../../build/", import.meta.url));
const program = join(built, "corpus-run-test.js");
const workerFile = join(built, "worker.js");
beforeAll(async () => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const common: BuildOptions = {
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "silent",
    banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
  };
  const contents = `
    import { runCorpus } from "./run.ts";
    const { folder, recipe, workers } = JSON.parse(process.argv[2]);
    await runCorpus(folder, recipe, { workers, onCheckpoint: () => console.log("checkpoint"), onTask: () => console.log("task") });
    console.log("finished");`;
  await build({ ...common, stdin: { contents, resolveDir: here, loader: "ts" }, outfile: program });
  await build({ ...common, entryPoints: [join(here, "worker.ts")], outfile: workerFile });
});
afterAll(() => {
  for (const file of [program, workerFile]) rmSync(file, { force: true });
});

/** One life of a run: killed `afterMilliseconds` after its first safe step, or left alone. */
async function live(at: string, workers: number, afterMilliseconds?: number): Promise<"killed" | "finished"> {
  const child = spawn(process.execPath, [program, JSON.stringify({ folder: at, recipe: recipe(), workers })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => {
    if (output === "" && afterMilliseconds !== undefined) setTimeout(() => child.kill("SIGKILL"), afterMilliseconds);
    output += bytes;
  });
  const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
  if (signal === "SIGKILL") return "killed";
  if (!output.includes("finished")) throw new Error("the run ended by itself, unfinished");
  return "finished";
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

test("bad records, other pages and unreadable shards are set aside, counted and reported", async () => {
  const bad = join(root, "bad");
  mkdirSync(join(bad, "unreadable.warc.gz"), { recursive: true });
  const page = samplePages({ seed: 9, articles: 1, copies: 0 })[0]!;
  const good = warcResponse({ url: page.url, html: page.html, date: "2026-11-01T00:00:00Z" });
  const damaged = Buffer.from(warcResponse({ url: "https://example.org/2", html: page.html, date: "2026-11-01T00:00:00Z" }));
  damaged.fill(0, 40, 80);
  writeFileSync(
    join(bad, "a.warc.gz"),
    Buffer.concat([
      damaged,
      good,
      warcRecord({ "WARC-Type": "request" }, Buffer.from("GET /")),
      warcResponse({ url: "https://example.org/3", html: "<nav><a href=x>menu</a></nav>", date: "2026-11-01T00:00:00Z" }),
      warcResponse({ url: "https://casino.example/4", html: page.html, date: "2026-11-01T00:00:00Z" }),
    ]),
  );
  writeFileSync(
    join(bad, "b.jsonl"),
    '{"id":"1","text":"Only a short text in English that says nothing at all."}\nnot json\n{"id":"2","text":"\\ud800"}\n',
  );
  writeFileSync(join(bad, "empty.warc.gz"), "");
  const manifest = await runCorpus(
    folder(),
    recipe({ inputs: [bad], urls: { domains: ["casino.example"] }, languages: { minScore: 0 }, filters: [] }),
  );
  expect(manifest.documents).toBe(2);
  expect(manifest.rejections).toEqual({ "damaged-member": 1, "invalid-json": 1, "lone-surrogate": 1 });
  expect(manifest.funnel.read!.dropped).toEqual({ "other-record-type": 1 });
  expect(manifest.funnel.urls!.dropped).toEqual({ "url-domain": 1 });
  expect(manifest.funnel.extract!.dropped).toEqual({ "no-main-text": 1 });
});

test("another recipe in the same folder is refused", async () => {
  const at = folder();
  await openCorpus(at, recipe());
  await expect(openCorpus(at, recipe({ crawl: "other" }))).rejects.toThrow(
    /run\.json: expected the recipe and the inputs of this run; crawl differs\. --redo runs read/,
  );
  await expect(openCorpus(folder(), recipe({ inputs: [join(root, "nothing")] }))).rejects.toThrow(/nothing/);
});
