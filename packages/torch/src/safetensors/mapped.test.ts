/** Mapped reading: the file's own pages, loaded when touched, kept by their tensors alone. */
import { mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { type Dtype, openSafetensors, SafetensorsError, scope, torch, writeSafetensors, writeSharded } from "../index.ts";
import { formatHeader } from "./header.ts";

const folder = mkdtempSync(join(tmpdir(), "mapped-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = fileURLToPath(new URL("../../golden/dtypes.safetensors", import.meta.url));
const path = (name: string) => join(folder, `${name}.safetensors`);
const many = () => torch.arange(100_000, { dtype: "float32" });
const mappingsOf = (name: string) =>
  readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => line.includes(name)).length;

test("mapped tensors are those that are copied: every dtype, ranges, shards", () => {
  scope(() => {
    const [mapped, copied] = [openSafetensors(golden, { mapped: true }), openSafetensors(golden)];
    for (const name of copied.names) {
      const [a, b] = [mapped.read(name), copied.read(name)];
      expect([a.dtype, a.shape]).toEqual([b.dtype, b.shape]);
      expect(torch.view(a.view([-1]), "uint8").equal(torch.view(b.view([-1]), "uint8"))).toBe(true);
    }
    expect(mapped.readFlat("float32", 1, 4).equal(copied.readFlat("float32", 1, 4))).toBe(true);
    const index = join(folder, writeSharded(folder, { a: many(), b: many() }, { maxShardBytes: 400_000 }).at(-1)!);
    const shards = openSafetensors(index, { mapped: true });
    expect(shards.read("b").equal(many())).toBe(true);
    shards.close();
  });
});

test.skipIf(process.platform !== "linux")("opening a file of 4 GiB and touching one tensor loads that tensor alone", () => {
  scope(() => {
    const entries = (["left", "right"] as const).map((name) => ({ name, dtype: "float32" as Dtype, shape: [1 << 29] }));
    const { bytes, ranges } = formatHeader([...entries, { name: "last", dtype: "int64", shape: [2] }], {});
    writeFileSync(path("sparse"), bytes);
    truncateSync(path("sparse"), bytes.length + ranges.at(-1)!.end);
    const before = process.memoryUsage.rss();
    const reader = openSafetensors(path("sparse"), { mapped: true });
    const [left, right, last] = (["left", "right", "last"] as const).map((name) => reader.read(name));
    expect(last!.toArray()).toEqual([0, 0]);
    expect(
      left!
        .slice(0, 1 << 28, (1 << 28) + 1000)
        .sum()
        .item() + right!.select(0, 7).item()!,
    ).toBe(0);
    expect(mappingsOf("sparse")).toBeGreaterThan(0); // neighbors are told as one
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 2 ** 20);
    reader.close();
  });
  expect(mappingsOf("sparse")).toBe(0);
});

test("a mapped tensor outlives reader, name and replacement of its file; writing to it does not reach the file", () => {
  scope(() => {
    writeSafetensors(path("first"), { x: many() });
    const bytes = readFileSync(path("first"));
    const reader = openSafetensors(path("first"), { mapped: true });
    const [kept, written] = [reader.read("x"), reader.read("x")];
    reader.close();
    expect(() => reader.read("x")).toThrow('the file was closed before tensor "x" was read');
    written.fill_(9);
    expect(readFileSync(path("first")).equals(bytes)).toBe(true);
    writeSafetensors(path("other"), { x: torch.zeros([1]) });
    renameSync(path("other"), path("first"));
    rmSync(path("first"));
    expect(kept.equal(many())).toBe(true);
    const view = kept.slice(0, 10, 20);
    kept.dispose();
    expect(view.sum().item()).toBe(145);
    expect(written.sum().item()).toBe(900_000);
  });
});

test("a file whose size changed since it was opened is refused before it is mapped", () => {
  writeSafetensors(path("cut"), { x: many() });
  const reader = openSafetensors(path("cut"), { mapped: true });
  truncateSync(path("cut"), 4096);
  expect(() => reader.read("x")).toThrow(SafetensorsError);
  expect(() => reader.read("x")).toThrow(/tensor "x": the file has 4096 bytes, but had \d+ when it was opened/);
  reader.close();
});

test("data that is not aligned to its dtype is copied; tensors without values are empty", () => {
  scope(() => {
    const flag = { dtype: "BOOL", shape: [1], data_offsets: [0, 1] };
    const header = {
      flag,
      x: { dtype: "F32", shape: [2], data_offsets: [1, 9] },
      none: { dtype: "F32", shape: [0, 3], data_offsets: [9, 9] },
    };
    const json = Buffer.from(JSON.stringify(header).padEnd(256));
    const data = Buffer.alloc(8 + 256 + 9);
    data.writeBigUInt64LE(256n);
    json.copy(data, 8);
    data.writeFloatLE(1.5, 8 + 256 + 1);
    writeFileSync(path("odd"), data);
    const reader = openSafetensors(path("odd"), { mapped: true });
    expect(reader.read("x").toArray()).toEqual([1.5, 0]);
    expect(reader.read("flag").toArray()).toEqual([false]);
    expect(reader.read("none").shape).toEqual([0, 3]);
    reader.close();
  });
});
