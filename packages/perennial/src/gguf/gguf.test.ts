import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scope, tensor, torch } from "@perennial/torch";
import { afterAll, expect, test } from "vitest";
import { stream } from "../stream.ts";
import { halfBits, halfTable } from "./half.ts";
import { dequantize, openGguf, type QuantizedType, quantizeQ8, readGgufHeader, shortest, type WrittenValue, writeGguf } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "perennial-gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Written by tools/golden/gguf_quantized.py with the Python package gguf.
interface Pair {
  readonly blocks: string;
  readonly values: string;
}
const golden: { dequantized: Record<QuantizedType, Pair>; quantized: { Q8_0: Pair } } = JSON.parse(
  readFileSync(new URL("./golden/quantized.json", import.meta.url), "utf8"),
);
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const floats = (text: string) => new Float32Array(bytes(text).buffer);

test.each(Object.entries(golden.dequantized))("%s: values equal the reference's to the bit", (type, pair) => {
  const expected = floats(pair.values);
  const values = new Float32Array(expected.length);
  dequantize(type as QuantizedType, bytes(pair.blocks), values);
  // Through bytes: −0 is not 0.
  expect(Buffer.from(values.buffer)).toEqual(Buffer.from(expected.buffer));
});

test("Q8_0: blocks equal the reference's", () => {
  expect(quantizeQ8(floats(golden.quantized.Q8_0.values))).toEqual(bytes(golden.quantized.Q8_0.blocks));
});

test("every half that is not negative comes back from its value; between two the nearest, then the even", () => {
  const values = halfTable();
  for (let bits = 0; bits <= 0x7c00; bits++) if (halfBits(values[bits]!) !== bits) expect(halfBits(values[bits]!), String(bits)).toBe(bits);
  for (const bits of [0, 1, 1022, 1023, 1024, 0x3c00, 0x3c01, 0x7bfe]) {
    const middle = (values[bits]! + values[bits + 1]!) / 2;
    expect(halfBits(middle)).toBe(bits + (bits % 2));
    expect(halfBits(middle * (1 + 1e-9))).toBe(bits + 1);
    expect(halfBits(middle * (1 - 1e-9))).toBe(bits);
  }
  expect([65_519, 65_520, Number.POSITIVE_INFINITY].map(halfBits)).toEqual([0x7bff, 0x7c00, 0x7c00]);
});

test("the shortest number of a single precision", () => {
  expect([1e-5, 1e-6, 0.1, 500_000, 1 / 3].map((value) => shortest(Math.fround(value)))).toEqual([1e-5, 1e-6, 0.1, 500_000, 0.33333334]);
  expect(shortest(0.1 + 0.2)).toBe(0.1 + 0.2); // no single precision
});

const metadata = new Map<string, WrittenValue>([
  ["general.architecture", "llama"],
  ["some.count", 7],
  ["some.share", { float32: 0.25 }],
  ["some.flag", true],
  ["some.text", "naïve ▁ 😀"],
  ["some.texts", ["a", "", "😀"]],
  ["some.flags", [true, false]],
  ["some.floats", Float32Array.of(1.5, -2)],
  ["some.ints", Int32Array.of(-1, 2)],
  ["none", []],
]);

test("what is written is read: metadata, shapes, and every bit of a tensor", () => {
  const path = join(folder, "all.gguf");
  scope(() => {
    const weight = torch.randn([3, 64]);
    const tensors = (["F32", "F16", "BF16", "Q8_0"] as const).map((type) => ({
      name: `weight.${type}`,
      type,
      shape: [3, 64],
      read: () => weight,
    }));
    writeGguf(path, metadata, [...tensors, { name: "norm", type: "F32", shape: [5], read: () => torch.arange(5).float() }]);
    const reader = openGguf(path);
    expect(reader.version).toBe(3);
    expect([...reader.metadata]).toEqual([...metadata].map(([key, value]) => [key, key === "some.share" ? 0.25 : value]));
    expect(reader.read("norm").toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(reader.read("weight.F32").equal(weight)).toBe(true);
    expect(reader.read("weight.F16").equal(weight.to("float16"))).toBe(true);
    expect(reader.read("weight.BF16").equal(weight.to("bfloat16"))).toBe(true);
    // Half a step, and the rounding of the step itself times 127.
    const step = weight.view([-1, 32]).abs().amax([-1], true).div(127);
    expect(
      reader
        .read("weight.Q8_0")
        .view([-1, 32])
        .sub(weight.view([-1, 32]))
        .abs()
        .le(step.mul(0.57))
        .all()
        .item(),
    ).toBe(1);
    for (const name of reader.names) expect(reader.describe(name).start % 32).toBe(0);
    expect(() => reader.read("weight.F23")).toThrow(/no tensor "weight.F23"; the nearest name is weight.F32/);
    reader.close();
  });
});

test("a header of many megabytes, read in windows: every value as it was", () => {
  const path = join(folder, "large.gguf");
  const random = stream(1, "lengths");
  const texts = Array.from({ length: 60_000 }, (_, i) => `${i}${"x".repeat(random.integer(90))}`);
  const flags = Array.from({ length: 100_000 }, (_, i) => i % 3 === 0);
  const long = "▁".repeat(700_000);
  const numbers = Int32Array.from({ length: 300_000 }, (_, i) => i);
  writeGguf(
    path,
    new Map<string, WrittenValue>([
      ["texts", texts],
      ["flags", flags],
      ["long", long],
      ["numbers", numbers],
      ["last", 7],
    ]),
    [],
  );
  const read = readGgufHeader(path).metadata;
  // Compared as one text: faster by far.
  for (const [key, value] of Object.entries({ texts, flags, numbers })) expect(String(read.get(key)) === String(value), key).toBe(true);
  expect(read.get("long") === long).toBe(true);
  expect(read.get("last")).toBe(7);
});

test("a failed write leaves the old file, and nothing beside it", () => {
  const path = join(folder, "kept.gguf");
  writeFileSync(path, "old");
  const failing =
    (read: () => never | ReturnType<typeof tensor>, type: "F16" | "Q8_0" = "F16") =>
    () =>
      writeGguf(path, metadata, [{ name: "w", type, shape: [2], read }]);
  expect(
    failing(() => {
      throw new Error("no data");
    }),
  ).toThrow("no data");
  expect(failing(() => torch.zeros([3]))).toThrow("w: announced as [2], is [3]");
  expect(failing(() => torch.zeros([2]), "Q8_0")).toThrow(/no whole blocks of Q8_0/);
  expect(failing(() => tensor([1, 1e6]))).toThrow(/w holds values beyond 65504.*choose bf16 or f32/);
  expect(failing(() => tensor([1, Number.POSITIVE_INFINITY]))).not.toThrow();
  expect(readdirSync(folder).filter((name) => name.startsWith("kept"))).toEqual(["kept.gguf"]);
});

test("what is no GGUF file says so, with the place", () => {
  const refused = (content: Uint8Array | string) => {
    const path = join(folder, "bad.gguf");
    writeFileSync(path, content);
    return () => readGgufHeader(path);
  };
  expect(() => readGgufHeader(join(folder, "none.gguf"))).toThrow(/none.gguf: expected a GGUF file. Check the path/);
  expect(() => readGgufHeader(folder)).toThrow(/expected a GGUF file/);
  expect(refused("")).toThrow(/bad.gguf \(byte 0\) magic: expected 4 more bytes, received 0/);
  expect(refused("PK\u0003\u0004 and more")).toThrow(/magic: expected "GGUF"/);
  const head = (version: number, tensors: bigint, entries: bigint, rest: readonly number[] = []) => {
    const buffer = Buffer.alloc(24);
    buffer.write("GGUF");
    buffer.writeUInt32LE(version, 4);
    buffer.writeBigUInt64LE(tensors, 8);
    buffer.writeBigUInt64LE(entries, 16);
    return Buffer.concat([buffer, Buffer.from(rest)]);
  };
  expect(refused(head(1, 0n, 0n))).toThrow(/version: expected 2 or 3, received 1/);
  expect(refused(head(0x03000000, 0n, 0n))).toThrow(/big-endian/);
  expect(refused(head(3, 2n ** 60n, 0n))).toThrow(/number of tensors: expected at most 0, received "?1152921504606846976/);
  expect(refused(head(3, 0n, 1n))).toThrow(/number of metadata entries: expected at most 0/);
  const key = [1, 0, 0, 0, 0, 0, 0, 0, 0x6b];
  const u32 = (value: number) => [value & 255, (value >> 8) & 255, 0, 0];
  const u64 = (value: number) => [...u32(value), 0, 0, 0, 0];
  const entry = (type: number, value: readonly number[]) => [...key, ...u32(type), ...value];
  expect(refused(head(3, 0n, 1n, entry(13, [0])))).toThrow(/type of k: expected a type from 0 to 12, received 13/);
  expect(refused(head(3, 0n, 1n, entry(7, [2])))).toThrow(/k: expected 0 or 1 for a boolean, received 2/);
  expect(refused(head(3, 0n, 1n, entry(9, [...u32(9), ...u64(1)])))).toThrow(/elements of k.*Arrays of arrays are not read/);
  expect(refused(head(3, 0n, 1n, entry(9, [...u32(8), ...u64(9)])))).toThrow(/number of elements of k: expected at most 0/);
  expect(refused(head(3, 0n, 2n, [...entry(7, [1]), ...entry(7, [1])]))).toThrow(/k: expected every key once/);
  expect(refused(head(3, 0n, 1n, entry(8, u64(99))))).toThrow(/length of k: expected at most 0, received/);
  const tensorOf = (dimensions: readonly number[], type: number, offset: number, name = 0x77) => [
    ...u64(1),
    name,
    ...u32(dimensions.length),
    ...dimensions.flatMap(u64),
    ...u32(type),
    ...u64(offset),
  ];
  const data = Array.from({ length: 200 }, () => 0);
  const one = (...tensors: readonly number[][]) => refused(head(3, BigInt(tensors.length), 0n, [...tensors.flat(), ...data]));
  expect(one(tensorOf([2, 2], 0, 0))).not.toThrow();
  expect(one(tensorOf([1, 1, 1, 1, 1], 0, 0))).toThrow(/number of dimensions of tensor "w": expected at most 4, received 5/);
  expect(one(tensorOf([32], 10, 0))).toThrow(/type of tensor "w": expected one of F32, .*received "Q2_K". Quantize the model/);
  expect(one(tensorOf([32], 99, 0))).toThrow(/received 99/);
  expect(one(tensorOf([33], 8, 0))).toThrow(/rows of a multiple of 32 values, as Q8_0 has them, received 33/);
  expect(one(tensorOf([2], 0, 4))).toThrow(/offset of tensor "w": expected a multiple of general.alignment \(32\), received 4/);
  expect(one(tensorOf([200], 0, 0))).toThrow(/its 800 bytes at \d+ inside of the file, received "a file of \d+ bytes"/);
  expect(one(tensorOf([8], 0, 0), tensorOf([8], 0, 0))).toThrow(/tensor "w": expected every name once/);
  expect(one(tensorOf([9], 0, 0), tensorOf([8], 0, 32, 0x78))).toThrow(
    /tensor "x": expected bytes of its own, received "an overlap with \\"w\\""/,
  );
  expect(one(tensorOf([8], 0, 0), tensorOf([8], 0, 32, 0x78))).not.toThrow();
});
