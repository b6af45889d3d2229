import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";
import { corpusVerbs } from "./verbs/corpus.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const lid = join(root, "node_modules/fasttext.wasm.js/dist/models/language-identification/assets/lid.176.ftz");
let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "perennial-corpus-"));
  let state = 1;
  const draw = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const word = () => Array.from({ length: 1 + draw(3) }, () => `${"bdfgklmnprst"[draw(12)]}${"aeiou"[draw(5)]}`).join("");
  const lines = Array.from({ length: 30 }, (_, i) => {
    const text = Array.from({ length: 80 + i }, (_, k) => (k % 9 === 0 ? "the" : k % 9 === 4 ? "of" : word())).join(" ");
    return JSON.stringify({ id: `d${i}`, text: i === 29 ? "short" : `${text}.`, language: "eng", script: "Latn" });
  });
  writeFileSync(join(cwd, "texts.jsonl"), `${lines.join("\n")}\nnot json\n`);
  writeFileSync(
    join(cwd, "corpus.yaml"),
    "name: small\ninputs: [texts.jsonl]\nlanguages: { minScore: 0 }\nfilters: [{ filter: gopher-quality }]\n",
  );
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function perennial(...args: string[]) {
  const effects = memoryEffects({ cwd });
  const code = await main(["corpus", ...args], effects);
  return { code, out: effects.stdout, err: effects.stderr };
}

test("every verb has help with examples; a mistake is one line and an exit code", async () => {
  for (const verb of corpusVerbs) {
    const { code, out } = await perennial(verb, "--help");
    expect(code).toBe(0);
    expect(out, verb).toContain("Usage: perennial corpus");
    if (verb !== "report") expect(out, verb).toContain("Examples:");
  }
  expect(await perennial("run", "none.yaml")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^perennial: .*none\.yaml: expected a corpus recipe\..*\n$/),
  });
  const typo = await perennial("run", "corpus.yaml", "--set", "filtres=[]");
  expect(typo).toMatchObject({ code: 1, err: "perennial: --set filtres=[] filtres: expected a known field. Did you mean filters?\n" });
  expect((await perennial("run", "corpus.yaml", "--stage", "raed")).err).toMatch(/--stage: expected one of read, /);
  expect((await perennial("run", "corpus.yaml", "--stage", "read", "--task-count", "3")).err).toMatch(/--task-index: expected a number/);
  expect((await perennial("inspect", "nowhere")).err).toMatch(/run\.json: expected a corpus run/);
});

test("plan, run, again, inspect, replay, redo", async () => {
  const plan = JSON.parse((await perennial("run", "corpus.yaml", "--dry-run", "--json")).out) as {
    stages: { name: string; args: string[] }[];
    folder: string;
  };
  expect(plan.folder).toBe(join(cwd, "corpora/small"));
  expect(plan.stages[0]).toMatchObject({ name: "read", args: expect.arrayContaining(["--stage", "read"]) as string[] });
  const run = await perennial("run", "corpus.yaml");
  expect(run.code).toBe(0);
  expect(run.out).toMatch(/^filter .*core-words-below-min 1$/m);
  const manifest = readFileSync(join(cwd, "corpora/small/manifest.json"), "utf8");
  expect((await perennial("run", "corpus.yaml", "--quiet")).out).toBe(run.out);
  expect(readFileSync(join(cwd, "corpora/small/manifest.json"), "utf8")).toBe(manifest);

  expect((await perennial("inspect", "corpora/small")).out).toMatch(/^filter +gopher-quality +core-words-below-min +eng_Latn +1$/m);
  const shown = JSON.parse(
    (await perennial("inspect", "corpora/small", "--filter", "gopher-quality", "--show", "1", "--json")).out,
  ) as unknown;
  expect(shown).toMatchObject({ id: "d29", excerpt: "short", dropped: { step: "filter", value: 1, threshold: 50 } });

  const replay = await perennial(
    "replay",
    "corpora/small",
    "--set",
    "gopherQuality.minWords=0",
    "--set",
    "gopherQuality.minStopWords=0",
    "--write",
    "new.json",
    "--json",
  );
  expect(JSON.parse(replay.out)).toMatchObject({ languages: [{ language: "eng_Latn", lost: 0, gained: 1 }] });
  expect((await perennial("replay", "corpora/small", "--set", "gopherQuality.minWord=0")).err).toContain("Did you mean minWords?");
  const given = ["--set", "thresholds.given=[new.json]"];
  const refused = await perennial("run", "corpus.yaml", ...given);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("--redo runs measure") });
  expect((await perennial("run", "corpus.yaml", ...given, "--redo")).out).toMatch(/^filter +\d+ +(\d+) .*$/m);
  expect(
    (JSON.parse(readFileSync(join(cwd, "corpora/small/manifest.json"), "utf8")) as { funnel: { filter: { dropped: object } } }).funnel
      .filter.dropped,
  ).toEqual({});
});

test("members of a job array take their index from the scheduler", async () => {
  const effects = memoryEffects({ cwd, env: { SLURM_ARRAY_TASK_ID: "0" } });
  const args = ["corpus", "run", "corpus.yaml", "--output", "array", "--stage", "read", "--task-count", "2", "--json"];
  expect(await main(args, effects)).toBe(0);
  expect(JSON.parse(effects.stdout)).toMatchObject({ type: "task", phase: "read", index: 0, done: 1, all: 1 });
});

test("what could not be read is told with exit code 3", async () => {
  if (process.platform !== "linux") return;
  const { symlinkSync } = await import("node:fs");
  mkdirSync(join(cwd, "bad"));
  writeFileSync(join(cwd, "bad/a.jsonl"), readFileSync(join(cwd, "texts.jsonl")));
  symlinkSync("/proc/self/mem", join(cwd, "bad/b.jsonl"));
  const { code, err, out } = await perennial(
    "run",
    "corpus.yaml",
    "--output",
    "out-bad",
    "--set",
    "inputs=[bad]",
    "--set",
    "reading.retries=0",
    "--quiet",
  );
  expect(code).toBe(3);
  expect(err).toMatch(/b\.jsonl: cannot be read: .*\nperennial: 1 of 2 shards could not be read to their end; the rest is done\.\n$/);
  expect(out).toContain("eng_Latn");
});

test("single steps: extract, identify, filter, deduplicate, forecast", async () => {
  const pages = join(root, "examples/corpus/pages");
  expect(await perennial("extract", pages, "--output", "pages.jsonl.zst", "--max-seconds", "30")).toMatchObject({
    code: 0,
    err: "3 documents; set aside: no-main-text 1\n",
  });
  expect((await perennial("identify", "pages.jsonl.zst", "--model", lid)).out).toMatch(/^eng_Latn +3 +0\.9/m);
  const filtered = await perennial(
    "filter",
    "texts.jsonl",
    "--filters",
    "[{ filter: gopher-quality }]",
    "--output",
    "kept.jsonl",
    "--dropped",
    "dropped.jsonl",
  );
  expect(filtered).toMatchObject({ code: 0, err: "29 of 30 documents kept; dropped: core-words-below-min 1\n" });
  expect(JSON.parse(readFileSync(join(cwd, "dropped.jsonl"), "utf8"))).toMatchObject({ dropped: { filter: "gopher-quality" } });
  expect((await perennial("filter", "texts.jsonl", "--filters", "[{ filter: gopher }]")).err).toMatch(/--filters/);
  const unique = await perennial("deduplicate", "pages.jsonl.zst", "--output", "unique", "--json", "--quiet");
  expect(JSON.parse(unique.out.trim().split("\n").at(-1)!)).toMatchObject({ documents: 2, clusters: { clusters: 1 } });
  expect(JSON.parse((await perennial("forecast", "corpus.yaml", "--json")).out)).toMatchObject({ shards: 1, sampled: 30, documents: 30 });
});
