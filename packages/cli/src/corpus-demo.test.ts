/** The demo as a user calls it, and the training command that it ends with. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

let cwd: string;
beforeAll(() => {
  setNumThreads(1);
  cwd = mkdtempSync(join(tmpdir(), "perennial-demo-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function perennial(...args: string[]) {
  const effects = memoryEffects({ cwd });
  const code = await main(args, effects);
  return { code, out: effects.stdout, err: effects.stderr };
}

test("the demo reports every step, and what it made trains the model that it names", async () => {
  const { code, out, err } = await perennial("corpus", "demo");
  expect(code, err).toBe(0);
  for (const step of ["robots", "extract", "repair", "identify", "language", "deduplicate", "filter", "anonymize"])
    expect(out).toMatch(new RegExp(`^${step} .* [01]\\.\\d{3} +[01]\\.\\d{3}$`, "m"));
  const command = /npx perennial (train .*)/.exec(out)![1]!.split(" ");
  const quick = [
    "train.steps=2",
    "train.schedule.warmupSteps=1",
    "evaluate.maxTokensPerCorpus=512",
    "baselines=[]",
    "generate.maxNewTokens=2",
  ];
  const trained = await perennial(...command, ...quick.flatMap((change) => ["--set", change]), "--set", `output=${join(cwd, "trained")}`);
  expect(trained.code, trained.err).toBe(0);
  expect(existsSync(join(cwd, "trained/main/model/model.safetensors"))).toBe(true);
}, 120_000);
