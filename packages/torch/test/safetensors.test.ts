/** safetensors: files of the reference implementation bit for bit, hostile files, writing that never leaves half a file. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  callOperator,
  type Dtype,
  openSafetensors,
  SafetensorsError,
  scope,
  type Tensor,
  tensor,
  torch,
  writeSafetensors,
  writeSharded,
} from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
const golden = fileURLToPath(new URL("../golden/dtypes.safetensors", import.meta.url));
const dtypes: Dtype[] = [
  "float64",
  "float32",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
];
const all: Dtype[] = [...dtypes, "bool", "float8_e4m3fn", "float8_e5m2", "complex64"];

/** The numbers of tools/golden/safetensors_files.py. */
function dataOf(dtype: Dtype): Tensor {
  const numbers = tensor([0, 1, dtype.startsWith("u") || dtype === "bool" ? 1 : -1, 2, 0.5, 3]);
  return (dtype === "complex64" ? torch.complex(numbers, numbers.neg()) : numbers.to(dtype)).reshape([2, 3]);
}
const bytesOf = (x: Tensor) => Array.from(torch.view(torch.resolveConj(x).contiguous().view([-1]), "uint8").toTypedArray() as Uint8Array);

test("every dtype of the reference implementation is read bit for bit, and written so that it reads the same", () => {
  scope(() => {
    const ours = join(folder, "ours.safetensors");
    const values = new Map<string, Tensor>(all.map((dtype) => [dtype, dataOf(dtype)]));
    values.set("empty", torch.zeros([0, 4]));
    values.set("scalar", tensor(7));
    writeSafetensors(ours, values, { made: "by TypeScript" });
    for (const path of [golden, ours]) {
      const reader = openSafetensors(path);
      expect([...reader.names].sort()).toEqual([...all, "empty", "scalar"].sort());
      for (const dtype of all) {
        const found = reader.read(dtype);
        expect([found.dtype, found.shape]).toEqual([dtype, [2, 3]]);
        expect(bytesOf(found)).toEqual(bytesOf(dataOf(dtype)));
        expect(reader.describe(dtype)).toMatchObject({ dtype, shape: [2, 3] });
      }
      expect(reader.read("empty").shape).toEqual([0, 4]);
      expect(reader.read("scalar").item()).toBe(7);
      expect(() => reader.read("absent")).toThrow('there is no tensor "absent"');
      reader.close();
    }
    expect(openSafetensors(golden).metadata).toEqual({ made: "by Python" });
  });
});

test("views, conjugates and names that JavaScript finds special are written as they look", () => {
  scope(() => {
    const path = join(folder, "views.safetensors");
    const z = torch.complex(tensor([1, 2]), tensor([3, 4]));
    writeSafetensors(
      path,
      new Map([
        [
          "t",
          tensor([
            [1, 2],
            [3, 4],
          ]).t(),
        ],
        ["conj", z.conj()],
        ["__proto__", tensor([5])],
        ["constructor", tensor([6])],
        ['ключ "\\', tensor([7])],
      ]),
    );
    const reader = openSafetensors(path);
    expect(reader.read("t").toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(torch.imag(reader.read("conj")).toArray()).toEqual([-3, -4]);
    expect(["__proto__", "constructor", 'ключ "\\'].map((name) => reader.read(name).item())).toEqual([5, 6, 7]);
    expect(() => writeSafetensors(path, { __metadata__: tensor([1]) })).toThrow("keeps the name __metadata__");
    expect(() => writeSafetensors(path, { x: torch.ones([1], { dtype: "complex128" }) })).toThrow("safetensors has no dtype complex128");
    expect(openSafetensors(path).names).toHaveLength(5);
  });
});

/** A file with this header and that many zero bytes of data. */
function fileOf(header: unknown, dataBytes = 0, claimed?: number | bigint): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed ?? text.length));
  const path = join(folder, "hostile.safetensors");
  writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
  return path;
}
const entry = (start: unknown, end: unknown, shape: unknown = [2], dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

const hostile: [string, () => string, string][] = [
  ["overlap", () => fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12), 'tensor "b" overlaps another one'],
  ["the same range twice", () => fileOf({ a: entry(0, 8), b: entry(0, 8) }, 8), "overlaps another one"],
  ["a hole", () => fileOf({ a: entry(0, 8), b: entry(12, 20) }, 20), 'a hole of 4 bytes before tensor "b"'],
  ["a hole at the start", () => fileOf({ a: entry(4, 12) }, 12), "a hole of 4 bytes"],
  ["beyond the file", () => fileOf({ a: entry(0, 80, [20]) }, 8), "outside of the file's 8"],
  ["a tail", () => fileOf({ a: entry(0, 8) }, 9), "cut short or has a tail"],
  ["ends before it starts", () => fileOf({ a: entry(8, 0) }, 8), "outside of the file"],
  ["negative offset", () => fileOf({ a: entry(-8, 0) }, 8), "no valid data_offsets"],
  ["fractional offset", () => fileOf({ a: entry(0, 7.5) }, 8), "no valid data_offsets"],
  ["three offsets", () => fileOf({ a: { dtype: "F32", shape: [2], data_offsets: [0, 4, 8] } }, 8), "no valid data_offsets"],
  ["shape and bytes disagree", () => fileOf({ a: entry(0, 8, [3]) }, 8), "needs 12 bytes for its shape but has 8"],
  ["absurd shape", () => fileOf({ a: entry(0, 8, [2 ** 40, 2 ** 40]) }, 8), "a shape of absurd size"],
  ["absurd shape with a zero", () => fileOf({ a: entry(0, 0, [2 ** 52, 2 ** 52, 0]) }), "a shape of absurd size"],
  ["negative shape", () => fileOf({ a: entry(0, 8, [-2]) }, 8), "no valid shape"],
  ["shape as text", () => fileOf({ a: entry(0, 8, "2") }, 8), "no valid shape"],
  ["unknown dtype", () => fileOf({ a: entry(0, 8, [2], "F33") }, 8), 'unknown dtype "F33"'],
  ["dtype from the prototype", () => fileOf({ a: entry(0, 8, [2], "constructor") }, 8), "unknown dtype"],
  ["entry null", () => fileOf({ a: null }), "unknown dtype"],
  [
    "duplicate names",
    () => fileOf('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    'names "a" twice',
  ],
  [
    "duplicate by escape",
    () => fileOf('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    'names "a" twice',
  ],
  ["NaN", () => fileOf('{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,0]}}'), "the header is not JSON"],
  ["an array", () => fileOf("[]"), "not a JSON object"],
  ["no JSON", () => fileOf("{"), "the header is not JSON"],
  [
    "not UTF-8",
    () => {
      const path = fileOf('{"a":{}}');
      const bytes = readFileSync(path);
      bytes[10] = 0xff;
      writeFileSync(path, bytes);
      return path;
    },
    "not UTF-8",
  ],
  ["metadata that is no text", () => fileOf({ __metadata__: { a: 1 } }), "__metadata__ must map strings to strings"],
  ["a huge header", () => fileOf("{}", 0, 100_000_001), "more than the 100000000 allowed"],
  ["the largest header", () => fileOf("{}", 0, 2n ** 64n - 1n), "more than the 100000000 allowed"],
  ["a header beyond the file", () => fileOf("{}", 0, 1000), "cut short"],
  [
    "an empty file",
    () => {
      const path = fileOf("{}");
      truncateSync(path, 0);
      return path;
    },
    "0 bytes are too few",
  ],
  ["a folder", () => folder, "this is not a file"],
];

test.each(hostile)("refused: %s", (_, make, message) => {
  const path = make();
  expect(() => openSafetensors(path)).toThrow(SafetensorsError);
  expect(() => openSafetensors(path)).toThrow(message);
  expect(() => openSafetensors(path)).toThrow(path);
});

test("a file cut anywhere is refused", () => {
  const whole = readFileSync(golden);
  const path = join(folder, "cut.safetensors");
  for (let length = 0; length < whole.length; length += length < 16 ? 1 : 7) {
    writeFileSync(path, whole.subarray(0, length));
    expect(() => openSafetensors(path)).toThrow(SafetensorsError);
  }
});

test("mutated files give an error or tensors, never anything else", () => {
  const whole = readFileSync(golden);
  const headerEnd = 8 + Number(whole.readBigUInt64LE());
  const path = join(folder, "mutated.safetensors");
  const edit = fc.oneof(
    fc.record({ at: fc.nat(headerEnd), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
    fc.record({
      at: fc.nat(headerEnd),
      bytes: fc.constantFrom("0", "9", "-", "]", "{", '"', ",", "e9", "null", "\\u0000").map((text) => Buffer.from(text)),
    }),
  );
  let opened = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const bytes = Buffer.from(whole);
      for (const { at, bytes: patch } of edits) bytes.set(patch, at);
      writeFileSync(path, bytes);
      try {
        scope(() => {
          const reader = openSafetensors(path);
          for (const name of reader.names) bytesOf(reader.read(name));
          reader.close();
        });
        opened++;
      } catch (error) {
        expect(error).toBeInstanceOf(SafetensorsError);
      }
    }),
    { numRuns: 2500, seed: 7 },
  );
  expect(opened).toBeGreaterThan(10); // some change only a name or the metadata
});

test("data that is not aligned to its element is read all the same", () => {
  const path = fileOf({ flag: entry(0, 1, [1], "BOOL"), x: entry(1, 9, [2]), z: entry(9, 25, [1, 2], "F64") }, 25);
  const bytes = readFileSync(path);
  const start = bytes.length - 25;
  bytes.writeFloatLE(1.5, start + 1);
  bytes.writeDoubleLE(-2.5, start + 17);
  writeFileSync(path, bytes);
  scope(() => {
    const reader = openSafetensors(path);
    expect(reader.read("x").toArray()).toEqual([1.5, 0]);
    expect(reader.read("z").add(1).toArray()).toEqual([[1, -1.5]]);
    reader.close();
  });
});

test("tensors outlive their reader, and writing to them does not reach the file", () => {
  scope(() => {
    const before = readFileSync(golden);
    const reader = openSafetensors(golden);
    const x = reader.read("float32");
    reader.close();
    x.fill_(9);
    expect(x.sum().item()).toBe(54);
    expect(readFileSync(golden).equals(before)).toBe(true);
  });
});

test("shards with an index; an index may not lead out of its folder, nor name what is not there", () => {
  scope(() => {
    const place = join(folder, "sharded");
    mkdirSync(place);
    const parts = { a: torch.ones([100]), b: torch.ones([100]).mul(2), c: torch.ones([10]).mul(3) };
    const files = writeSharded(place, parts, { maxShardBytes: 500 });
    expect(files).toEqual(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]);
    const index = join(place, files.at(-1)!);
    const reader = openSafetensors(index);
    expect(Object.fromEntries(reader.names.map((name) => [name, reader.read(name).mean().item()]))).toEqual({ a: 1, b: 2, c: 3 });
    expect(JSON.parse(readFileSync(index, "utf8"))).toMatchObject({ metadata: { total_size: 840 } });
    const broken = (weightMap: unknown) => {
      writeFileSync(index, JSON.stringify({ weight_map: weightMap }));
      return () => openSafetensors(index);
    };
    for (const name of ["../x.safetensors", "/etc/passwd", "sub/x.safetensors", "..", ".", "", "..\\x", "a\0b", 7, null])
      expect(broken({ a: name })).toThrow("which is not a plain file name beside the index");
    expect(broken({ a: "none.safetensors" })).toThrow("the shard none.safetensors is missing");
    expect(broken({ d: files[0] })).toThrow(`${files[0]} does not hold tensor "d"`);
    expect(broken([])).toThrow("no weight_map");
    writeFileSync(index, "{");
    expect(() => openSafetensors(index)).toThrow("the index is not JSON");
  });
});

test.skipIf(!existsSync("/dev/full"))("a write that fails leaves the old file and nothing beside it", () => {
  scope(() => {
    const place = mkdtempSync(join(folder, "full-"));
    const path = join(place, "x.safetensors");
    writeSafetensors(path, { x: tensor([1]) });
    const old = readFileSync(path);
    // The temporary file of the next write is a device that is always full.
    symlinkSync("/dev/full", `${path}.${process.pid}.tmp`);
    expect(() => writeSafetensors(path, { x: torch.ones([1 << 16]) })).toThrow("ENOSPC");
    expect(readFileSync(path).equals(old)).toBe(true);
    expect(readdirSync(place)).toEqual(["x.safetensors"]);
    expect(() => writeSafetensors(path, { x: torch.empty([2], { device: "meta" }) })).toThrow();
    expect(readFileSync(path).equals(old)).toBe(true);
    expect(readdirSync(place)).toEqual(["x.safetensors"]);
  });
});

test("the mapping is libtorch's own: an absent file is an error, not a crash", () => {
  expect(() => openSafetensors(join(folder, "absent.safetensors"))).toThrow("ENOENT");
  expect(() => callOperator("aten::from_file", [join(folder, "absent")], { shared: false, size: 10, dtype: "uint8" })).toThrow();
});

test("a file that is cut short, replaced or closed after it was opened: an error or the tensors as they were, never a crash", () => {
  const path = join(folder, "shrinking.safetensors");
  const many = () => torch.arange(100_000, { dtype: "float32" });
  writeSafetensors(
    path,
    new Map([
      ["first", many()],
      ["second", many()],
    ]),
  );
  const reader = openSafetensors(path);
  expect(reader.read("first").equal(many())).toBe(true);
  truncateSync(path, 500_000);
  expect(reader.read("first").equal(many())).toBe(true);
  expect(() => reader.read("second")).toThrow(/tensor "second": the file ends after \d+ of the tensor's 400000 bytes; it was cut short/);
  truncateSync(path, 0);
  expect(() => reader.read("first")).toThrow(SafetensorsError);
  // Written anew under the same name: the open reader still has the old file.
  writeSafetensors(path, new Map([["first", many()]]));
  const before = openSafetensors(path);
  writeSafetensors(path, new Map([["first", torch.zeros([1])]]));
  expect(before.read("first").equal(many())).toBe(true);
  before.close();
  before.close();
  expect(() => before.read("first")).toThrow('the file was closed before tensor "first" was read');
});
