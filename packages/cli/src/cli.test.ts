import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "perennial/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { syntheticRuns } from "../../perennial/src/report/testing/synthetic.ts";
import { main } from "./cli.ts";
import type { Effects } from "./effects.ts";
import { terminalPlot } from "./terminal-plot.ts";
import { memoryEffects } from "./testing/memory-effects.ts";
import { ago, painter, printable, table, width } from "./text.ts";
import { verbs } from "./verbs.ts";

let cwd: string;
let ids: string[];

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "perennial-cli-"));
  const store = openStore(join(cwd, ".perennial/store.db"), { mode: "write" });
  ids = syntheticRuns(store, { steps: 60 }).map(({ id }) => id);
  store.close();
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function perennial(args: string, overrides: Partial<Effects> = {}) {
  const effects = memoryEffects({ cwd, ...overrides });
  effects.clock = Date.UTC(2026, 10, 24, 23, 0, 0);
  const code = await main(
    args.split(" ").filter((argument) => argument !== ""),
    effects,
  );
  return { code, out: effects.stdout, err: effects.stderr };
}

describe("called", () => {
  test("--help lists every verb; each verb has its own help", async () => {
    const { code, out } = await perennial("--help");
    expect(code).toBe(0);
    for (const { name, summary } of verbs) expect(out).toMatch(new RegExp(`${name}.*\\n?.*${summary.slice(0, 20)}`));
    for (const { name } of verbs) {
      const help = await perennial(`${name} --help`);
      expect(help.code).toBe(0);
      expect(help.out).toContain(`Usage: perennial ${name}`);
    }
  });

  test("wrongly: one line, exit code 2, the nearest verb", async () => {
    expect(await perennial("rnus")).toEqual({ code: 2, out: "", err: "perennial: there is no command rnus. Did you mean runs?\n" });
    expect(await perennial("qqqqqq")).toMatchObject({ code: 2, err: "perennial: there is no command qqqqqq. --help lists them.\n" });
    const unknown = await perennial("runs --jsn");
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain("--json");
    expect((await perennial("show")).code).toBe(2);
  });

  test("in vain: one line, exit code 1, a stack only when asked for", async () => {
    const { code, err } = await perennial("show nothing");
    expect(code).toBe(1);
    expect(err).toMatch(/^perennial: .*expected the id or the name of a run, received "nothing"\. .*\n$/);
    expect((await perennial("runs --store no.db")).err).toMatch(/no\.db: expected a store of runs\./);
    expect((await perennial("show nothing", { env: { PERENNIAL_DEBUG: "1" } })).err).toContain("    at ");
  });
});

describe("init, train --dry-run, schedule", () => {
  test("a recipe from nothing to a plan", async () => {
    expect((await perennial("init new")).code).toBe(0);
    const recipe = readFileSync(join(cwd, "new/recipe.yaml"), "utf8");
    expect(recipe).toMatch(/^# yaml-language-server: \$schema=\.perennial\/recipe\.schema\.json\n/);
    expect(existsSync(join(cwd, "new/.perennial/recipe.schema.json"))).toBe(true);
    expect(await perennial("init new")).toMatchObject({ code: 1, err: expect.stringContaining("--force writes over it") });

    // The plan is told even where the model is not there yet; then what is missing.
    const { code, out, err } = await perennial("train new/recipe.yaml --dry-run --set train.tokens=2M");
    expect(code).toBe(1);
    // ⌈2,000,000 / (8 · 512)⌉ = 489 steps.
    expect(out).toContain("main: 489 steps, 2M tokens");
    expect(out).toContain("new 75 %, old 25 % replayed");
    expect(out).toContain("naive: 489 steps");
    expect(err).toMatch(/^perennial: .*new\/models\/base\/config\.json: expected a Hugging Face model folder with a config\.json.*\n$/);
  });

  test("init --fresh plans with its cost; init --model checks the folder", async () => {
    expect((await perennial("init fresh --fresh")).code).toBe(0);
    mkdirSync(join(cwd, "fresh/data"));
    writeFileSync(join(cwd, "fresh/data/a.jsonl.zst"), "four");
    const { code, out, err } = await perennial("train fresh/recipe.yaml --dry-run --set train.tokens=1M");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    // 6 layers of 4 · 256² + 3 · 256 · 688, norms 13 · 256, embedding 8192 · 256 = 6,843,648.
    expect(out).toContain("model       6.84M parameters");
    expect(out).toMatch(/^text +1 +1 KiB +after the tokenizer +–$/m);
    expect(out).toMatch(/^time +about .* if 45 % of this machine's \w+ peak \(\d+ GFLOP\/s, measured now\)/m);
    const json = JSON.parse((await perennial("train fresh/recipe.yaml --dry-run --json --processes 2")).out) as Record<string, unknown>[];
    expect(json[0]).toMatchObject({ totalSteps: 2442, parameters: 6_843_648, corpora: [{ name: "text", files: 1, bytes: 4 }] });
    // With a tokenizer that is there, the tokens too: 4 bytes and an end.
    writeFileSync(join(cwd, "fresh/data/b.jsonl"), '{"text":"four"}\n');
    const bytes = await perennial(
      "train fresh/recipe.yaml --dry-run --set train.tokens=1M --set tokenizer=bytes --set corpora.text.path=data/b.jsonl",
    );
    expect(bytes.out).toMatch(/^text +1 +1 KiB +5 +\d+k$/m);
    expect(await perennial("train fresh/recipe.yaml --dry-run --set train.microBatchSize=900000")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^perennial: Training needs about .* GiB .*Lower train\.microBatchSize.*\n$/),
    });
    expect(await perennial("init other --model nowhere")).toMatchObject({ code: 1, err: expect.stringContaining("nowhere/config.json") });
    expect(existsSync(join(cwd, "other"))).toBe(false);
    expect((await perennial("init other --model nowhere --fresh")).err).toContain("--fresh: expected no --model beside it");
  });

  test("mistakes have a line each", async () => {
    writeFileSync(
      join(cwd, "bad.yaml"),
      "name: x\nmodle: y\ncorpora: { a: { path: a } }\nstages:\n  - name: one\n    mixture: { sources: [{ corpus: b }] }\n",
    );
    const { code, err } = await perennial("train bad.yaml --dry-run");
    expect(code).toBe(1);
    expect(err).toContain("bad.yaml:2 modle: expected a known field. Did you mean model?");
    for (const line of err.trim().split("\n")) expect(line).toMatch(/^perennial: .*bad\.yaml:\d+ /);
  });

  test("the schedule as dots, numbers, picture and page", async () => {
    await perennial("init plot");
    const { out, code } = await perennial("schedule plot/recipe.yaml --set train.steps=100 --svg s.svg --html s.html");
    expect(code).toBe(0);
    expect(out).toContain("3.0e-4 ┤");
    expect(out).toContain("new: steps 0 – 100");
    expect(readFileSync(join(cwd, "s.svg"), "utf8")).toMatch(/^<svg .*#1b7f5c/s);
    expect(readFileSync(join(cwd, "s.html"), "utf8")).toContain("<!doctype html>");
    const json = JSON.parse((await perennial("schedule plot/recipe.yaml --set train.steps=100 --json")).out) as unknown[];
    expect(json.slice(0, 2)).toEqual([
      { step: 0, learningRate: 0 },
      { step: 1, learningRate: 3e-4 },
    ]);
  });

  test("a schedule by itself, inline or in a file, with its mistakes", async () => {
    const run = (schedule: string, ...rest: string[]) => {
      const effects = memoryEffects({ cwd });
      return main(["schedule", schedule, ...rest], effects).then((code) => ({ code, out: effects.stdout, err: effects.stderr }));
    };
    const inline = "{ schedule: cosine, maxLearningRate: 1e-3, minLearningRate: 0 }";
    const { out } = await run(inline, "--steps", "100", "--set", "warmupSteps=10", "--json");
    const points = JSON.parse(out) as { step: number; learningRate: number }[];
    expect(points).toHaveLength(100);
    // Half of the warm-up, its end, and the middle of the cosine over the 90 steps that follow.
    expect([5, 10, 55].map((step) => points[step]!.learningRate)).toEqual([5e-4, 1e-3, expect.closeTo(5e-4, 12)]);
    writeFileSync(join(cwd, "schedule.yaml"), "schedule: cosine\nmaxLearningRate: 1e-3\nminLearningRate: 0\nwarmupSteps: 10\n");
    expect((await run("schedule.yaml", "--steps", "100", "--json")).out).toBe(out);
    expect(await run("{ schedule: cosinus }")).toMatchObject({ code: 1, err: expect.stringContaining("Did you mean cosine?") });
    expect((await run(inline, "--set", "warmup=3")).err).toMatch(/--set warmup=3 .*warmupSteps/);
    expect((await run(inline, "--steps", "0")).code).toBe(2);
  });
});

describe("over a store", () => {
  test("runs, show, compare, lineage", async () => {
    const list = await perennial("runs");
    for (const id of ids) expect(list.out).toContain(id);
    expect(list.out).toContain("3 h ago");
    expect((JSON.parse((await perennial("runs --json")).out) as unknown[]).length).toBe(2);
    const show = await perennial(`show ${ids[1]}`);
    expect(show.out).toMatch(/english +1\.420 +2\.036 +\+0\.616/);
    expect(show.out).toContain("the update was skipped");
    const compare = await perennial(`compare ${ids.join(" ")} --html c.html`);
    expect(compare.out).toMatch(/main +4\.000 +2\.153 +−1\.847/);
    expect(compare.out).toContain("naive learned basque (4.000 → 2.113), forgot english (+0.616).");
    expect(existsSync(join(cwd, "c.html"))).toBe(true);
    const lineage = await perennial("lineage basque-main");
    expect(lineage.out).toMatch(/^basque-main {2}\w{8} .*\n(.*\n)* {2}model: base-en/);
    expect((await perennial("lineage base-en")).out).toMatch(/Came of it:\n {2}model: basque-/);
  });

  test("report writes three files beside the store", async () => {
    const { out } = await perennial("report latest");
    for (const path of out.trim().split("\n")) expect(existsSync(join(cwd, path))).toBe(true);
    expect(
      out
        .trim()
        .split("\n")
        .map((path) => path.split(".").at(-1)),
    ).toEqual(["html", "md", "json"]);
  });
});

test("tables align by what is seen, numbers to the right", () => {
  expect(
    table(
      ["a", "n"],
      [
        ["日本", "1"],
        [painter(true)("red", "x"), "22"],
      ],
      [1],
    ),
  ).toBe(`a      n\n日本   1\n\u001b[31mx\u001b[0m     22\n`);
  expect(width("日本é")).toBe(5);
  expect(printable("a\u001b[2Jb\u0007")).toBe("a�[2Jb�");
  expect([5000, 600_000, 2e7, 5e8].map((time) => ago(0, time))).toEqual(["5 s ago", "10 min ago", "6 h ago", "6 days ago"]);
});

test("a plot draws a rising line from the lower left to the upper right", () => {
  const options = { width: 4, height: 2, formatX: String, formatY: String };
  expect(
    terminalPlot(
      [
        { x: 0, y: 0 },
        { x: 7, y: 1 },
      ],
      options,
    ),
  ).toBe("  1 ┤⠀⠀⡠⠊\n  0 ┤⡠⠊⠀⠀\n     0  7\n");
  expect(terminalPlot([], options)).toBe("nothing to plot\n");
});
