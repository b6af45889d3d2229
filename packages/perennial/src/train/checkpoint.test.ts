import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, optim, torch } from "@perennial/torch";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { full } from "../adapt/index.ts";
import { Decoder, decoderConfig } from "../model/index.ts";
import { checkpointNames, newestCheckpoint, openCheckpoint, replaceCheckpoint, restoreReplaced, scoreCheckpoint } from "./checkpoint.ts";
import { type CheckpointPosition, CheckpointWriter } from "./checkpoint-writer.ts";
import { crc32c } from "./crc32c.ts";

const root = mkdtempSync(join(tmpdir(), "perennial-checkpoint-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const position = (step: number): CheckpointPosition => ({
  recipeHash: "recipe",
  stage: 0,
  stageStep: step,
  step,
  tokens: step,
  source: {},
  memory: [],
  before: {},
  parentHash: null,
  planned: true,
});
const keeping = { keepLast: 3, keepBest: 0, keepMeasured: false, keepPlanned: false };

function parts() {
  manualSeed(1);
  const model = new Decoder(
    decoderConfig({ vocabSize: 300, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32 }),
  );
  const optimizer = new optim.AdamW(full(model).parameterSets.map(({ parameters }) => ({ parameters })));
  for (const parameter of model.parameters) parameter.grad = torch.ones(parameter.shape);
  optimizer.step();
  return { model, rawConfig: {}, optimizer, rules: [] };
}

async function saved(run: string, steps: readonly number[], options = keeping): Promise<string> {
  const folder = join(root, run);
  const writer = new CheckpointWriter(folder, options);
  for (const step of steps) await writer.save(state, position(step), () => {});
  await writer.idle();
  return folder;
}

let state: ReturnType<typeof parts>;
let original: string;
beforeAll(async () => {
  state = parts();
  original = await saved("original", [1, 2]);
});

test("CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test("a whole checkpoint opens, and the newest is taken", async () => {
  const newest = await newestCheckpoint(original, (text) => expect(text).toBe(""));
  expect(newest!.state.step).toBe(2);
  expect(Object.keys(newest!.state.files).sort()).toEqual(["model/config.json", "model/model.safetensors", "optimizer.safetensors"]);
});

const FILES = ["state.json", "model/config.json", "model/model.safetensors", "optimizer.safetensors"];
test.each(FILES)("%s cut short anywhere, grown, changed anywhere or missing is never loaded", async (name) => {
  const copy = join(root, "copy");
  const path = join(copy, name);
  const bytes = readFileSync(join(original, "checkpoints/000002", name));
  const reset = () => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(join(original, "checkpoints/000002"), copy, { recursive: true });
  };
  const refused = () => expect(openCheckpoint(copy)).rejects.toThrow(name);
  reset();
  // Nothing, inside the length, at its end, inside the header and the data, one short.
  for (const length of [0, 1, 7, 8, 9, 64, bytes.length >> 1, bytes.length - 2, bytes.length - 1]) {
    truncateSync(path, length);
    await refused();
    writeFileSync(path, bytes);
  }
  writeFileSync(path, Buffer.concat([bytes, Buffer.from(" ")]));
  await refused();
  // A block that was never written is full of zeros.
  writeFileSync(path, Buffer.concat([bytes.subarray(0, bytes.length >> 1), Buffer.alloc(bytes.length - (bytes.length >> 1))]));
  await refused();
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ flip;
      writeFileSync(path, changed);
      await refused();
    }),
    { numRuns: 40 },
  );
  rmSync(path);
  await refused();
  reset();
  await openCheckpoint(copy);
});

test("damaged ones are told of and set aside; when all are, nothing is loaded", async () => {
  const run = await saved("aside", [1, 2, 3]);
  truncateSync(join(run, "checkpoints/000003/optimizer.safetensors"), 100);
  rmSync(join(run, "checkpoints/000002/state.json"));
  const warnings: string[] = [];
  expect((await newestCheckpoint(run, (text) => warnings.push(text)))!.state.step).toBe(1);
  expect(warnings).toEqual([
    expect.stringMatching(
      /000003\/optimizer.safetensors: the checkpoint is damaged \(it has 100 bytes instead of \d+\); using the one before/,
    ),
    expect.stringMatching(/000002\/state.json: the checkpoint is damaged .*ENOENT/),
  ]);
  expect(readdirSync(join(run, "checkpoints")).sort()).toEqual(["000001", "000002.damaged", "000003.damaged"]);
  truncateSync(join(run, "checkpoints/000001/state.json"), 100);
  await expect(newestCheckpoint(run, () => {})).rejects.toThrow(/no checkpoint is whole.*Delete .*checkpoints to start over/);
  expect(checkpointNames(run)).toEqual(["000001"]);
});

test("a checkpoint of the same step is replaced; killed between the renames, the old one comes back", async () => {
  const run = await saved("replace", [1]);
  const checkpoints = join(run, "checkpoints");
  cpSync(join(checkpoints, "000001"), join(checkpoints, ".000001.9"), { recursive: true });
  writeFileSync(join(checkpoints, ".000001.9/new"), "");
  replaceCheckpoint(checkpoints, join(checkpoints, ".000001.9"), "000001");
  expect(readdirSync(checkpoints)).toEqual(["000001"]);
  expect(existsSync(join(checkpoints, "000001/new"))).toBe(true);
  renameSync(join(checkpoints, "000001"), join(checkpoints, ".000001.replaced"));
  restoreReplaced(run);
  expect(readdirSync(checkpoints)).toEqual(["000001"]);
});

test("the state is that of the call, whatever happens to the weights while it is written", async () => {
  const run = join(root, "snapshot");
  const own = parts();
  const writer = new CheckpointWriter(run, keeping);
  await writer.save(own, position(1), () => {});
  for (let step = 0; step < 3; step++) own.optimizer.step();
  await writer.idle();
  for (const name of ["model/model.safetensors", "optimizer.safetensors", "state.json"])
    expect(readFileSync(join(run, "checkpoints/000001", name)).equals(readFileSync(join(original, "checkpoints/000001", name)))).toBe(true);
});

test("keep-last, keep-best, the newest measured and the newest planned one", async () => {
  const run = join(root, "keep");
  const writer = new CheckpointWriter(run, { keepLast: 1, keepBest: 1, keepMeasured: true, keepPlanned: true });
  const scores = [3, 1, 2, null, null];
  for (const [i, score] of scores.entries())
    await writer.save(state, { ...position(i + 1), planned: i === 3 }, () => {
      if (score !== null) scoreCheckpoint(run, i + 1, score);
    });
  await writer.idle();
  expect(checkpointNames(run)).toEqual(["000002", "000003", "000004", "000005"]);
});

test("what fails is told once, names the folder and leaves the others", async () => {
  const run = await saved("failing", [1]);
  const writer = new CheckpointWriter(run, keeping);
  writeFileSync(join(run, `checkpoints/.000002.${process.pid}`), "in the way");
  await writer.save(state, position(2), () => {});
  await expect(writer.idle()).rejects.toThrow(
    /failing\/checkpoints: the checkpoint of step 2 could not be saved \(.*\). The ones before it are intact; .*--resume/,
  );
  writer.check();
  expect(checkpointNames(run)).toEqual(["000001"]);
  await openCheckpoint(join(run, "checkpoints/000001"));
});
