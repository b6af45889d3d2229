import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel } from "../model/index.ts";
import { resolveRecipe } from "../recipe/index.ts";
import { runRecipe } from "../run/index.ts";
import { tinyRecipe, writeTinyCorpora } from "../run/testing/tiny-recipe.ts";
import { openStore } from "../store/index.ts";
import { LocalSlurm, whyNoSlurm } from "../testing/local-slurm.ts";
import { openWorld } from "./data-parallel.ts";
import { launch } from "./launch.ts";

let folder: string;
let alone: { losses: number[]; after: ReadonlyMap<string, number> };

/** Four sequences a step, however many processes share them. */
const recipeOf = (output: string) =>
  tinyRecipe(output, {
    train: {
      steps: 12,
      sequenceLength: 48,
      microBatchSize: 1,
      tokensPerStep: 4 * 48,
      autocastDtype: "float32",
      schedule: { schedule: "cosine", maxLearningRate: 3e-3, minLearningRate: 3e-4, warmupSteps: 3 },
    },
  });

const runAlone = (output: string, losses: number[], until?: number) =>
  runRecipe(resolveRecipe(recipeOf(output)), {
    baseFolder: folder,
    listen: (message) => message.kind === "step" && losses.push(message.report.loss),
    ...(until === undefined ? {} : { until }),
  });

beforeAll(async () => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-parallel-"));
  writeTinyCorpora(folder);
  const losses: number[] = [];
  const [summary] = await runAlone("alone", losses);
  alone = { losses, after: summary!.result.after };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runTogether(output: string, processes: number, victim?: number) {
  const path = join(folder, `${output}.json`);
  writeFileSync(path, JSON.stringify(recipeOf(output)));
  let [out, err] = ["", ""];
  const child = fileURLToPath(new URL("data-parallel.conformance.ts", import.meta.url));
  const result = await launch({
    processes,
    command: process.execPath,
    args: ["--conditions", "source", "--import", "tsx", child, folder, path, ...(victim === undefined ? [] : [String(victim)])],
    environment: { ...process.env, NODE_OPTIONS: "", OMP_NUM_THREADS: "1" },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  const lines = out
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { step?: number; loss?: number; after?: [string, number][] });
  return { result, err, steps: lines.filter(({ step }) => step !== undefined), after: new Map(lines.at(-1)?.after) };
}

function expectSameEnd(output: string, after: ReadonlyMap<string, number>): void {
  for (const [corpus, bitsPerByte] of alone.after) expect(Math.abs(after.get(corpus)! - bitsPerByte)).toBeLessThan(1e-3);
  const [own, other] = ["alone", output].map((name) => loadModel(join(folder, name, "main/model")).model.stateDict());
  for (const [name, weight] of own!) expect(weight.sub(other!.get(name)!).abs().max().item(), name).toBeLessThan(1e-3);
}

test("two processes with two micro-batches each learn what one learns with four", async () => {
  const { result, err, steps, after } = await runTogether("together", 2);
  expect(err).toBe("");
  expect(result).toEqual({ exitCode: 0, failed: undefined });
  expect(steps.map(({ step }) => step)).toEqual(alone.losses.map((_, i) => i + 1));
  for (const [i, { loss }] of steps.entries()) expect(Math.abs(loss! - alone.losses[i]!), `step ${i + 1}`).toBeLessThan(1e-4);
  expectSameEnd("together", after);
  // Only the first process wrote: one run, finished, with one row a step.
  const store = openStore(join(folder, ".perennial/store.db"), { mode: "read" });
  const run = store.runs.newestIn(join(folder, "together/main"))!;
  expect(run.status).toBe("finished");
  expect(store.metrics.read(run.key, "loss").values).toHaveLength(24);
  store.close();
  expect(existsSync(join(folder, "together/main/models/old/model.safetensors"))).toBe(true);
});

test("a run of one process goes on with four, on the same curve", async () => {
  const losses: number[] = [];
  await runAlone("handed-over", losses, 7);
  const { err, steps, after } = await runTogether("handed-over", 4);
  expect(err).toBe("");
  expect(steps[0]!.step).toBe(8);
  const whole = [...losses, ...steps.map(({ loss }) => loss!)];
  expect(whole).toHaveLength(alone.losses.length);
  for (const [i, loss] of whole.entries()) expect(Math.abs(loss - alone.losses[i]!), `step ${i + 1}`).toBeLessThan(1e-4);
  expectSameEnd("handed-over", after);
});

test("a process that is killed ends the run at once and is named; the run can go on", async () => {
  const { result } = await runTogether("killed", 2, 1);
  expect(result.exitCode).toBe(137);
  expect(result.failed).toMatchObject({ rank: 1, signal: "SIGKILL" });
  const [summary] = await runRecipe(resolveRecipe(recipeOf("killed")), { baseFolder: folder, resume: true });
  expectSameEnd("killed", summary!.result.after);
});

const missing = whyNoSlurm();
test.skipIf(missing !== undefined)(
  `under a real srun two processes are on the same curve${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  async () => {
    const slurm = await LocalSlurm.start();
    try {
      const path = join(folder, "slurm.json");
      writeFileSync(path, JSON.stringify(recipeOf("slurm")));
      const child = fileURLToPath(new URL("data-parallel.conformance.ts", import.meta.url));
      const { PATH, SLURM_CONF } = slurm.environment;
      const { stdout } = await promisify(execFile)(
        "srun",
        ["--ntasks=2", process.execPath, "--conditions", "source", "--import", "tsx", child, folder, path],
        { env: { ...process.env, NODE_OPTIONS: "", OMP_NUM_THREADS: "1", PATH, SLURM_CONF } },
      );
      const losses = stdout
        .split("\n")
        .filter((line) => line.startsWith('{"step"'))
        .map((line) => (JSON.parse(line) as { loss: number }).loss);
      // Of two processes only the first tells.
      expect(losses).toHaveLength(alone.losses.length);
      for (const [i, loss] of losses.entries()) expect(Math.abs(loss - alone.losses[i]!), `step ${i + 1}`).toBeLessThan(1e-4);
    } finally {
      await slurm.stop();
    }
  },
  120_000,
);

test("without variables training is on its own; half of them are an error that names the other half", async () => {
  expect(await openWorld({}, {})).toMatchObject({ rank: 0, size: 1 });
  expect(await openWorld({}, { RANK: "0", WORLD_SIZE: "1", MASTER_ADDR: "localhost", MASTER_PORT: "1" })).toMatchObject({ size: 1 });
  await expect(openWorld({}, { RANK: "0" })).rejects.toThrow(/WORLD_SIZE: is not set/);
});
