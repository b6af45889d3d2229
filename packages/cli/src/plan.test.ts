import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setNumThreads } from "@perennial/torch";
import { resolveRecipe } from "perennial/recipe";
import { runRecipe } from "perennial/run";
import { beforeAll, expect, test } from "vitest";
import { tinyRecipe, writeTinyCorpora } from "../../perennial/src/run/testing/tiny-recipe.ts";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

const cwd = mkdtempSync(join(tmpdir(), "plan-verb-"));

async function perennial(...args: string[]) {
  const effects = memoryEffects({ cwd });
  return { code: await main(args, effects), out: effects.stdout, err: effects.stderr };
}

beforeAll(async () => {
  setNumThreads(1);
  writeTinyCorpora(cwd);
  const { stages, corpora, ...rest } = tinyRecipe("base");
  await runRecipe(resolveRecipe({ ...rest, corpora: { old: corpora.old! }, stages: [stages[0]!], generate: {} }), { baseFolder: cwd });
  writeFileSync(
    join(cwd, "plan.yaml"),
    `model: base/main/model
corpora:
  domain: { path: new.jsonl, heldOut: { share: 0.1 } }
  general: { path: old.jsonl, heldOut: { share: 0.1 } }
tokens: 2304
train: { sequenceLength: 24, microBatchSize: 2, schedule: { schedule: constant, maxLearningRate: 3.0e-3 } }
goal: { goal: weighted, weight: 0.5 }
pilots: { share: 1, ratios: [0.2, 0.4, 0.6, 0.8] }
maxTokensPerCorpus: 500
replicas: 20
`,
  );
});

test("--dry-run tells pilots, passes and time, and leaves nothing; --json as data", async () => {
  const { code, out } = await perennial("plan", "plan.yaml", "--dry-run");
  expect(code).toBe(0);
  expect(out).toMatch(/4 pilots: one run per share, measured at every budget on the way/);
  expect(out).toMatch(/20\.0 % +192 336 528 864 1,392 2,304 +1 +2,304/);
  expect(out).toMatch(/corpus +tokens +passes at shares from 20\.0 % to 80\.0 %/);
  expect(out).toMatch(/pilots {2}9,216 tokens, about .*\nverify {2}6,912 tokens/);
  expect(existsSync(join(cwd, "plans"))).toBe(false);
  const json = JSON.parse((await perennial("plan", "plan.yaml", "--dry-run", "--json")).out) as { pilots: unknown[]; seconds: unknown };
  expect(json.pilots).toHaveLength(4);
});

test("wrong use is one line each, with the field", async () => {
  expect(await perennial("plan", "no.yaml")).toMatchObject({ code: 1, err: expect.stringMatching(/no\.yaml: expected a plan\./) });
  expect((await perennial("plan", "--model", "base/main/model", "--domain", "new.jsonl")).err).toMatch(
    /tokens: expected .* It is missing here/,
  );
  expect((await perennial("plan", "plan.yaml", "--set", "pilots.ratios=[0.2,0.4,0.6,1]")).err).toMatch(/pilots\.ratios\[3\].*received 1\./);
  expect((await perennial("plan", "plan.yaml", "--domain", "nothing.jsonl", "--dry-run")).err).toMatch(/nothing\.jsonl/);
});

test("killed without warning, the same command goes on and comes to the same plan, byte for byte", async () => {
  const whole = await perennial("plan", "plan.yaml", "--output", "whole", "--store", "whole.db", "--quiet");
  expect(whole).toMatchObject({ code: 0, err: "" });
  expect(whole.out).toMatch(/mixture {3}[\d.]+ % domain, [\d.]+ % general \(90 %: /);
  expect(whole.out).toMatch(/recipe {4}whole\/recipe\.yaml {4}\(perennial train whole\/recipe\.yaml\)\nreport {4}whole\/plan\.html\n$/);

  const entry = fileURLToPath(new URL("./main.ts", import.meta.url));
  const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), entry];
  const child = spawn(process.execPath, [...node, "plan", "plan.yaml", "--output", "cut", "--store", "cut.db"], {
    cwd,
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  let told = "";
  child.stderr.on("data", (text: Buffer) => {
    told += text.toString();
    if (told.includes("pilot 3 of 4")) child.kill("SIGKILL");
  });
  const code = await new Promise((done) => child.on("close", (_, signal) => done(signal)));
  expect(code).toBe("SIGKILL");
  expect(existsSync(join(cwd, "cut/recipe.yaml"))).toBe(false);
  const rest = await perennial("plan", "plan.yaml", "--output", "cut", "--store", "cut.db", "--json");
  expect(rest.code).toBe(0);
  expect((JSON.parse(rest.out) as { recipe: string }).recipe).toBe("cut/recipe.yaml");
  for (const file of ["plan.json", "recipe.yaml"])
    expect(readFileSync(join(cwd, "cut", file), "utf8")).toBe(readFileSync(join(cwd, "whole", file), "utf8"));

  const train = await perennial("train", "cut/recipe.yaml", "--dry-run");
  expect(train.code).toBe(0);
  expect(train.out).toContain("domain");
});
