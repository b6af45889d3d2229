/** Each mistake is one clear line, and nothing is half-written. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Decoder, decoderConfig, saveModel } from "../model/index.ts";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath, lockRunFolder } from "../store/index.ts";
import { ByteTokenizer } from "../tokenizer/byte-tokenizer.ts";
import { newestCheckpoint } from "../train/checkpoint.ts";
import { runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-bad-"));
  writeTinyCorpora(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refused = async (recipe: RecipeSpec, storePath?: string): Promise<string> => {
  const error = await runRecipe(resolveRecipe(recipe), { baseFolder: folder, ...(storePath === undefined ? {} : { storePath }) }).then(
    () => new Error("it ran"),
    (reason: unknown) => reason as Error,
  );
  expect(error.message).not.toContain("\n");
  return error.message;
};

test("two runs on one folder", async () => {
  const lock = lockRunFolder(join(folder, "busy/main"));
  expect(await refused(tinyRecipe("busy"))).toMatch(/busy\/main: .*Process \d+ on .* is running here; wait for it, stop it, or choose/);
  lock.release();
});

test("a store that is no store, and a folder in its place", async () => {
  writeFileSync(join(folder, "garbage.db"), "this is not a database, it only has its name. ".repeat(100));
  expect(await refused(tinyRecipe("no-store"), "garbage.db")).toMatch(/garbage\.db/);
  mkdirSync(join(folder, "folder.db"));
  expect(await refused(tinyRecipe("no-store"), "folder.db")).toMatch(/folder\.db/);
  expect(existsSync(join(folder, "no-store"))).toBe(false);
});

test("an empty corpus", async () => {
  writeFileSync(join(folder, "empty.jsonl"), "");
  const recipe = tinyRecipe("empty", { corpora: { old: { path: "empty.jsonl", heldOut: "none" }, new: { path: "new.jsonl" } } });
  expect(await refused(recipe)).toMatch(/empty\.jsonl: expected at least one document to train on/);
});

test("a tokenizer with more tokens than the model has rows", async () => {
  const small = new Decoder(
    decoderConfig({ vocabSize: 100, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32 }),
  );
  saveModel(join(folder, "small"), small);
  expect(await refused(tinyRecipe("sizes", { model: join(folder, "small") }))).toMatch(
    new RegExp(`The tokenizer knows ${new ByteTokenizer().vocabSize} tokens but the model has rows for 100`),
  );
});

test("a model folder that is not there, and one without weights", async () => {
  expect(await refused(tinyRecipe("no-model", { model: "nowhere" }))).toMatch(
    /model: expected a Hugging Face model folder, received .*nowhere/,
  );
  mkdirSync(join(folder, "hollow"));
  expect(await refused(tinyRecipe("hollow-run", { model: join(folder, "hollow") }))).toMatch(/hollow/);
});

test("more than the machine's memory is refused with the numbers", async () => {
  const wide = tinyRecipe("wide", { model: { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2 } });
  wide.train = { ...wide.train, microBatchSize: Math.ceil(totalmem() / 1e5), gradientAccumulationSteps: 1 };
  expect(await refused(wide)).toMatch(
    /^Training needs about [\d.]+ GiB \(weights .*activations .*\) but this machine has [\d.]+ GiB\. Lower train\./,
  );
});

const mountable = (() => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const probe = mkdtempSync(join(tmpdir(), "perennial-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], { stdio: "ignore" });
    execFileSync("umount", [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
})();

test.skipIf(!mountable)(
  "a disk that is full during a checkpoint: the last one stays good, and with more room the run ends as if nothing had been",
  async () => {
    const disk = mkdtempSync(join(tmpdir(), "perennial-disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1200k", "tmpfs", disk]);
    try {
      const recipe = (output: string) =>
        tinyRecipe(output, { checkpoints: { everySteps: 2, keepLast: 9 }, evaluate: { everySteps: "never", maxTokensPerCorpus: 300 } });
      const output = join(disk, "run");
      const line = await refused(recipe(output));
      expect(line).toMatch(
        /run\/main\/checkpoints: the checkpoint of step \d+ could not be saved \(the disk is full\)\. The ones before it are intact; free some space/,
      );
      const last = await newestCheckpoint(join(output, "main"), (text) => expect(text).toBe(""));
      expect(last!.state.step).toBeGreaterThan(0);
      expect(readdirSync(join(output, "main/checkpoints")).filter((name) => !/^\d+$/.test(name))).toEqual([]);
      execFileSync("mount", ["-o", "remount,size=64m", disk]);
      const [rest] = await runRecipe(resolveRecipe(recipe(output)), { baseFolder: folder, resume: true });
      await runRecipe(resolveRecipe(recipe("roomy")), { baseFolder: folder });
      expect((await hashPath(rest!.result.modelFolder!)).hash).toBe((await hashPath(join(folder, "roomy/main/model"))).hash);
    } finally {
      execFileSync("umount", [disk]);
      rmSync(disk, { recursive: true, force: true });
    }
  },
);
