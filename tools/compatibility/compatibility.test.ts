import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors, writeSafetensors } from "@perennial/torch";
import { expect, test } from "vitest";
import { checkAll, checkFixture, columnNames, golden } from "./check.ts";
import { PAGE, table, tableIn } from "./table.ts";

test("docs/compatibility.md says what a fresh run finds; every kind of position and window is among it", async () => {
  const rows = await checkAll();
  expect(tableIn(readFileSync(PAGE, "utf8"))).toBe(table(rows));
  for (const { fixture, verdicts } of rows)
    for (const column of columnNames) if (column !== "gguf") expect(verdicts[column], `${fixture} ${column}`).toBe(true);
  const kinds = ["none", "linear", "dynamic", "llama3", "yarn", "longrope", "learned", "alibi"];
  expect([...new Set(rows.map(({ rope }) => rope))].sort()).toEqual(kinds.sort());
  // The fixtures' 24 tokens reach beyond the window.
  expect(rows.filter(({ slidingWindow }) => slidingWindow !== null && slidingWindow < 24).length).toBeGreaterThan(4);
});

test("a model that computes something else falls, and only where it must", async () => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-fallen-"));
  try {
    cpSync(join(golden, "yi"), folder, { recursive: true });
    const reader = openSafetensors(join(golden, "yi", "model.safetensors"));
    const tensors = new Map(reader.names.map((name) => [name, reader.read(name).clone()]));
    reader.close();
    tensors.get("model.layers.1.mlp.up_proj.weight")!.mul_(1.5);
    writeSafetensors(join(folder, "model.safetensors"), tensors);
    const { verdicts } = await checkFixture("yi", folder);
    expect(verdicts).toMatchObject({ load: true, logits: "logits differ", save: true, gguf: "logits differ", lora: true });
    expect(verdicts.train).toMatch(/^gradient of .* differs$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
