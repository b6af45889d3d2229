/** Replay from a buffer in a run of two processes: each has its own, and a run that was cut goes on with both. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RecipeSpec } from "../recipe/index.ts";
import { hashPath } from "../store/index.ts";
import { launch } from "../train/launch.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "experience-processes-"));
  writeTinyCorpora(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipe = (output: string): RecipeSpec => {
  const spec = tinyRecipe(output);
  const experience = { share: 0.25, bufferTokens: 960, startStep: 3, reptile: { everySteps: 5, interpolation: 0.5 }, keepBuffer: true };
  return {
    ...spec,
    train: { ...spec.train, gradientAccumulationSteps: 1, experience },
    stages: ["old", "new"].map((name) => ({ name, mixture: { sources: [{ corpus: name }] } })),
    checkpoints: { everySteps: 3, keepLast: 2 },
  };
};

async function run(output: string, { processes = 2, victim }: { processes?: number; victim?: number } = {}) {
  const path = join(folder, `${output}.json`);
  writeFileSync(path, JSON.stringify(recipe(output)));
  let problems = "";
  const child = fileURLToPath(new URL("../train/data-parallel.conformance.ts", import.meta.url));
  const { exitCode } = await launch({
    processes,
    command: process.execPath,
    args: ["--conditions", "source", "--import", "tsx", child, folder, path, ...(victim === undefined ? [] : [String(victim)])],
    environment: { ...process.env, NODE_OPTIONS: "", OMP_NUM_THREADS: "1" },
    out: () => {},
    err(text) {
      problems += text;
    },
  });
  return { exitCode, problems };
}
const weights = async (output: string) => (await hashPath(join(folder, output, "main/model/model.safetensors"))).hash;
const buffers = (output: string) => {
  const root = join(folder, output, "main/replay");
  return readdirSync(root)
    .sort()
    .map((rank) => {
      const files = readdirSync(join(root, rank), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      return Buffer.concat(files.map((file) => readFileSync(join(file.parentPath, file.name)))).toString("latin1");
    });
};

test("two processes keep a buffer each; killed and resumed they end with the same weights and buffers", async () => {
  expect(await run("whole")).toEqual({ exitCode: 0, problems: "" });
  const [first, second, ...others] = buffers("whole");
  expect(others).toEqual([]);
  expect(first).not.toBe(second);

  expect((await run("cut", { victim: 1 })).exitCode).toBe(137);
  const alone = await run("cut", { processes: 1 });
  expect(alone.exitCode).toBe(1);
  expect(alone.problems).toContain("holds the replay buffers of 2 processes; go on with 2 instead of 1");
  expect(await run("cut")).toEqual({ exitCode: 0, problems: "" });
  expect(await weights("cut")).toBe(await weights("whole"));
  expect(buffers("cut")).toEqual(buffers("whole"));
}, 120_000);
