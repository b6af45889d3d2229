import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { torch } from "../index.ts";
import { openSafetensors, SafetensorsWriter, writeSafetensors } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "perennial-stream-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

const a = torch.arange(12).float().view([3, 4]);
const entries = [
  { name: "a", dtype: "float32", shape: [3, 4] },
  { name: "b", dtype: "bfloat16", shape: [5] },
  { name: "none", dtype: "float32", shape: [0, 3] },
] as const;

test("pieces make the file that is written as a whole", () => {
  const writer = new SafetensorsWriter(path("pieces"), entries, { format: "pt" });
  for (const [start, end] of [[0, 5], [5, 12]] as const) writer.append(a.reshape([-1]).slice(0, start, end)); // biome-ignore format: ranges
  writer.append(torch.arange(5)); // converted
  writer.close();
  writer.discard(); // a whole file stays
  writeSafetensors(path("whole"), { a, b: torch.arange(5).to("bfloat16"), none: torch.empty([0, 3]) }, { format: "pt" });
  const [pieces, whole] = ["pieces", "whole"].map((name) => openSafetensors(path(name)));
  for (const name of whole!.names) expect(pieces!.read(name).equal(whole!.read(name))).toBe(true);
  expect(readFileSync(path("pieces")).length).toBe(readFileSync(path("whole")).length);
});

test("values too many or too few are errors, and a discarded file is gone", () => {
  const writer = new SafetensorsWriter(path("bad"), entries);
  expect(() => writer.append(torch.zeros([13]))).toThrow(/more values than tensor "a"/);
  writer.append(torch.zeros([11]));
  expect(() => writer.close()).toThrow(/"a" has 11 of 12 values/);
  writer.discard();
  expect(existsSync(path("bad"))).toBe(false);
  expect(() => writer.append(torch.zeros([1]))).toThrow(/closed/);
});

test("ranges of a tensor are read alone", () => {
  writeSafetensors(path("ranges"), { a, b: torch.arange(5).to("bfloat16") });
  const reader = openSafetensors(path("ranges"));
  expect(reader.readFlat("a", 3, 6).toArray()).toEqual([3, 4, 5]);
  expect(reader.readFlat("b", 4, 5).toArray()).toEqual([4]);
  expect(reader.readFlat("a", 2, 2).shape).toEqual([0]);
  for (const [start, end] of [[-1, 2], [3, 2], [0, 13], [0.5, 2]] as const) // biome-ignore format: ranges
    expect(() => reader.readFlat("a", start, end)).toThrow(/has 12 values/);
});
