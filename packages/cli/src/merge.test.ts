/** `perennial merge` and `perennial adapter` as a user calls them, on the tiny models of the library's tests. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

const library = fileURLToPath(new URL("../../perennial/src/", import.meta.url));
const model = join(library, "model/golden/qwen3");
let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "perennial-merge-"));
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function perennial(...args: string[]) {
  const effects = memoryEffects({ cwd });
  const code = await main(args, effects);
  return { code, out: effects.stdout, err: effects.stderr };
}
const weights = (folder: string) => readFileSync(join(folder, "model.safetensors"));

test("adapter merge, then a merge of base and tuned by recipe and by options: the same bytes, with a lineage", async () => {
  expect(await perennial("adapter", "merge", model, join(library, "adapt/peft/golden/qwen3"), "--output", "tuned")).toMatchObject({
    code: 0,
  });
  expect(weights(join(cwd, "tuned")).equals(weights(model))).toBe(false);
  const tuned = ["merge", "--method", "taskArithmetic", "--base", model, "--weights", "0.5", "tuned", "--output", "half"];
  expect(await perennial(...tuned)).toMatchObject({ code: 0, out: expect.stringMatching(/^half: taskArithmetic of tuned\n\d+ tensors/) });
  writeFileSync(join(cwd, "m.yaml"), `method: taskArithmetic\nbase: ${model}\nmodels: [{ path: tuned, weight: 0.5 }]\n`);
  expect((await perennial("merge", "m.yaml", "--output", "same")).code).toBe(0);
  expect(weights(join(cwd, "same")).equals(weights(join(cwd, "half")))).toBe(true);
  expect((await perennial("lineage", "half")).out).toMatch(/model: qwen3.*\n.*model: tuned/);
  expect(await perennial(...tuned)).toMatchObject({ code: 1, err: expect.stringContaining("expected a new or empty folder") });
});

test("a reversible merge is undone to the bit", async () => {
  const adapter = join(library, "adapt/peft/golden/qwen3");
  expect(await perennial("adapter", "merge", model, adapter, "--output", "two-way", "--reversible")).toMatchObject({ code: 0 });
  const { out } = await perennial("adapter", "unmerge", "two-way", "--output", "back", "--json");
  expect(JSON.parse(out)).toMatchObject({ exact: true });
  expect(weights(join(cwd, "back")).equals(weights(model))).toBe(true);
});

test("adapter info counts A and B", async () => {
  const { out } = await perennial("adapter", "info", join(library, "adapt/peft/golden/qwen3"), "--json");
  expect(JSON.parse(out)).toMatchObject({ rank: 4, parameters: 1600 });
});

test.each([
  [["merge", "nowhere.yaml", "--output", "x"], /nowhere\.yaml: expected a YAML file/],
  [["merge", "--method", "ties", model, model, "--output", "x"], /options base: expected string/],
  [["merge", "--method", "linear", "--weights", "1", model, model, "--output", "x"], /--weights: expected 2 numbers/],
  [["merge", "a", "b", "--output", "x"], /one recipe, or model folders with --method/],
  [["adapter", "info", "nowhere"], /adapter_config\.json: expected a PEFT adapter/],
])("%s is one line", async (args, expected) => {
  const { code, err } = await perennial(...(args as string[]));
  expect(code).toBe(1);
  expect(err).toMatch(expected);
  expect(err.trim().split("\n")).toHaveLength(1);
});
