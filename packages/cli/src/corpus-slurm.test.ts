/** A corpus over a real Slurm, from the command line to the manifest: the same bytes as on one machine. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleCrawl } from "../../perennial/src/corpus/run/sample-crawl.ts";
import { LocalSlurm, whyNoSlurm } from "../../perennial/src/testing/local-slurm.ts";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

const entry = fileURLToPath(new URL("main.ts", import.meta.url));
const tsx = import.meta.resolve("tsx");
let cwd: string;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "perennial-corpus-slurm-"));
  mkdirSync(join(cwd, "crawl"));
  for (const [i, bytes] of sampleCrawl({ seed: 3, articles: 20 }, 2).entries()) writeFileSync(join(cwd, `crawl/${i}.warc.gz`), bytes);
  writeFileSync(join(cwd, "recipe.yaml"), "name: sample\ninputs: [crawl]\nmemoryBytes: 1000000\nformats: [jsonl.zst]\n");
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const perennial = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  execFileSync(process.execPath, ["--conditions", "source", "--import", tsx, entry, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
const hashes = (folder: string) =>
  (JSON.parse(readFileSync(join(cwd, folder, "manifest.json"), "utf8")) as { files: { path: string; sha256: string }[] }).files;

test("--dry-run shows the scripts and submits nothing", async () => {
  const effects = memoryEffects({ cwd });
  const args = [
    "corpus",
    "run",
    "recipe.yaml",
    "--launcher",
    "slurm",
    "--dry-run",
    "--partition",
    "cpu",
    "--max-parallel",
    "1",
    "--workers",
    "2",
  ];
  expect(await main(args, effects)).toBe(0);
  expect(effects.stdout).toContain("# read, after nothing\n#!/bin/sh\n#SBATCH --job-name=sample-read\n#SBATCH --array=0-1%1\n");
  expect(effects.stdout).toMatch(/# manifest, after .*publish|# manifest, after write/);
  expect(effects.stdout).toContain("#SBATCH --partition=cpu");
  expect(readdirSync(cwd)).not.toContain("corpora");
  const unknown = memoryEffects({ cwd });
  expect(await main(["corpus", "run", "recipe.yaml", "--launcher", "pbs"], unknown)).toBe(1);
  expect(unknown.stderr).toBe('perennial: --launcher: expected slurm, received "pbs".\n');
});

const missing = whyNoSlurm();
describe.skipIf(missing !== undefined)(`a real Slurm${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  let slurm: LocalSlurm;
  beforeAll(async () => {
    slurm = await LocalSlurm.start();
  }, 60_000);
  afterAll(async () => slurm?.stop(), 30_000);

  test("makes the corpus that one machine makes", async () => {
    const out = perennial(
      ["corpus", "run", "recipe.yaml", "--launcher", "slurm", "--output", "cluster", "--max-tasks", "2"],
      slurm.environment,
    );
    expect(out).toMatch(/^read +\d+ +2 +–$/m);
    await slurm.drained(240);
    perennial(["corpus", "run", "recipe.yaml", "--output", "here", "--quiet"]);
    expect(hashes("cluster").length).toBeGreaterThan(0);
    expect(hashes("cluster")).toEqual(hashes("here"));
  }, 300_000);
});

test("the report of the corpus, and a folder that is none", async () => {
  const effects = memoryEffects({ cwd });
  expect(await main(["corpus", "run", "recipe.yaml", "--output", "reported", "--quiet"], effects)).toBe(0);
  const report = memoryEffects({ cwd });
  expect(await main(["corpus", "report", "reported"], report)).toBe(0);
  expect(report.stdout).toBe("reported/report.html\n");
  expect(readFileSync(join(cwd, "reported/report.html"), "utf8")).toContain("<h2>Funnel</h2>");
  const none = memoryEffects({ cwd });
  expect(await main(["corpus", "report", "crawl"], none)).toBe(1);
  expect(none.stderr).toMatch(/^perennial: .*crawl: expected the folder of a finished corpus run, with a manifest\.json\. .*\n$/);
});
