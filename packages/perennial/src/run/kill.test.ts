/**
 * Real processes, killed at random moments. KILLS=20 kills more often than a normal test run does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath } from "../store/index.ts";
import { stream } from "../stream.ts";
import { runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

const KILLS = Number(process.env.KILLS ?? 2);
let folder: string;

beforeAll(async () => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-kill-"));
  writeTinyCorpora(folder);
  await runRecipe(resolveRecipe(recipe("whole")), { baseFolder: folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Large enough that a checkpoint takes a moment. */
const recipe = (output: string): RecipeSpec =>
  tinyRecipe(output, {
    model: { hiddenSize: 192, numHiddenLayers: 3, numAttentionHeads: 4 },
    checkpoints: { everySteps: 2, keepLast: 2 },
    evaluate: { everySteps: 6, maxTokensPerCorpus: 500, bootstrapResamples: 0 },
  });
const hash = async (output: string) => (await hashPath(join(folder, output, "main", "model"))).hash;

function start(output: string): { child: ChildProcess; lines: Record<string, unknown>[]; ended: Promise<number | null> } {
  const path = join(folder, `${output}.json`);
  writeFileSync(path, JSON.stringify(recipe(output)));
  const script = fileURLToPath(new URL("./testing/train-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", "--conditions", "source", script, folder, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
    child.emit("told");
  });
  return { child, lines, ended: new Promise((done) => child.on("exit", done)) };
}

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** After a few steps, at any moment. */
async function killAtRandom(run: ReturnType<typeof start>, random: ReturnType<typeof stream>): Promise<void> {
  const steps = 1 + random.integer(5);
  while (run.lines.filter((line) => "step" in line).length < steps && run.child.exitCode === null)
    await Promise.race([new Promise((done) => run.child.once("told", done)), run.ended]);
  await wait(random.uniform() * 40);
  run.child.kill("SIGKILL");
}

/** While a checkpoint is being written: its folder is there under its hidden name. */
async function killWhileSaving(run: ReturnType<typeof start>, random: ReturnType<typeof stream>, output: string): Promise<void> {
  const checkpoints = join(folder, output, "main", "checkpoints");
  mkdirSync(checkpoints, { recursive: true });
  const watcher = watch(checkpoints);
  const began = new Promise<void>((done) =>
    watcher.on("change", (_, name) => {
      if (String(name).startsWith(".") && !String(name).endsWith(".replaced")) done();
    }),
  );
  await Promise.race([began, run.ended]);
  await wait(random.uniform() * 15);
  run.child.kill("SIGKILL");
  watcher.close();
}

test("killed at random moments, also while saving, and resumed = never killed", async () => {
  const random = stream(Number(process.env.KILL_SEED ?? 1), "kills");
  let kills = 0;
  for (; kills < KILLS; kills++) {
    const run = start("killed");
    await (kills % 2 === 0 ? killWhileSaving(run, random, "killed") : killAtRandom(run, random));
    if ((await run.ended) === 0) break;
  }
  const last = start("killed");
  expect(await last.ended).toBe(0);
  expect(kills).toBeGreaterThanOrEqual(Math.min(KILLS, 10));
  expect(await hash("killed")).toBe(await hash("whole"));
  expect(last.lines.filter((line) => "warning" in line)).toEqual([]);
}, 900_000);

test("SIGINT finishes the step, saves and says how to go on; a second one ends at once without damage", async () => {
  const polite = start("interrupted");
  while (!polite.lines.some((line) => "step" in line)) await new Promise((done) => polite.child.once("told", done));
  polite.child.kill("SIGINT");
  expect(await polite.ended).toBe(130);
  expect(polite.lines.at(-1)).toEqual({ status: "stopped" });
  const told = polite.lines.find((line) => "warning" in line)?.warning;
  expect(told).toMatch(/^interrupted after step \d+\. Run the same command with --resume to go on from /);
  const step = polite.lines.filter((line) => "step" in line).at(-1)!.step as number;
  expect(existsSync(join(folder, "interrupted/main/checkpoints", String(step).padStart(6, "0"), "state.json"))).toBe(true);
  const hasty = start("interrupted");
  while (!hasty.lines.some((line) => "step" in line)) await new Promise((done) => hasty.child.once("told", done));
  hasty.child.kill("SIGINT");
  hasty.child.kill("SIGINT");
  expect(await hasty.ended).toBe(130);
  expect(await start("interrupted").ended).toBe(0);
  expect(await hash("interrupted")).toBe(await hash("whole"));
});
