/** Damaged files of both formats: a clear error or a correct load, in bounded memory and time, with no read outside of the file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors, scope, torch, writeSafetensors } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PerennialError } from "../errors.ts";
import { type Stream, stream } from "../stream.ts";
import { openGguf, type WrittenTensor, type WrittenValue, writeGguf } from "./index.ts";

const VARIANTS = 5000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers at which formats break. */
const BOUNDARIES = [
  0n,
  1n,
  2n,
  7n,
  31n,
  255n,
  256n,
  65_535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One to three blows, most of them to the header. */
function damaged(original: Uint8Array, headerBytes: number, random: Stream): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let blows = 1 + random.integer(3); blows > 0; blows--) {
    if (bytes.length < 16) break;
    const at = random.integer(random.integer(10) === 0 ? bytes.length : Math.min(headerBytes, bytes.length));
    const view = new DataView(bytes.buffer);
    switch (random.integer(7)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes[at] = bytes[at]! ^ (1 << random.integer(8));
        break;
      case 2:
        bytes[at] = random.integer(256);
        break;
      case 3:
        if (at + 8 <= bytes.length) view.setBigUint64(at, BOUNDARIES[random.integer(BOUNDARIES.length)]!, true);
        break;
      case 4:
        if (at + 4 <= bytes.length) view.setUint32(at, Number(BOUNDARIES[random.integer(11)]!), true);
        break;
      case 5: {
        // A piece of the file somewhere else in it.
        const length = Math.min(1 + random.integer(40), bytes.length - at);
        bytes.copyWithin(random.integer(bytes.length - length + 1), at, at + length);
        break;
      }
      default:
        bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(9))]));
    }
  }
  return bytes;
}

interface Opened {
  readonly names: readonly string[];
  read(name: string): { numel: number };
  close(): void;
}

/** Opens every variant and reads what it holds. `isClear`: an error that names the file and is the format's own. */
function attack(
  name: string,
  original: Uint8Array,
  headerBytes: number,
  open: (path: string) => Opened,
  isClear: (error: unknown) => boolean,
) {
  const path = join(folder, name);
  const random = stream(20_261_125, name);
  const before = process.memoryUsage().rss;
  let [loaded, refused, most] = [0, 0, 0];
  for (let i = 0; i < VARIANTS; i++) {
    const variant = damaged(original, headerBytes, random);
    // A new file each time: some file systems wait for the disk when a file is written over.
    rmSync(path, { force: true });
    writeFileSync(path, variant);
    try {
      scope(() => {
        const reader = open(path);
        try {
          // What a file of this size may hold at most, in the densest type: 32 values in 18 bytes.
          for (const tensor of reader.names)
            if (reader.read(tensor).numel > 2 * variant.length) throw new Error(`${tensor} is larger than its file`);
        } finally {
          reader.close();
        }
      });
      loaded++;
    } catch (error) {
      if (!isClear(error)) throw new Error(`variant ${i} of ${name}: ${(error as Error).stack}`, { cause: error });
      refused++;
    }
    if (i % 500 === 0) most = Math.max(most, process.memoryUsage().rss - before);
  }
  expect(loaded + refused).toBe(VARIANTS);
  // Both happen, or the blows do not hit what they should.
  expect(loaded).toBeGreaterThan(VARIANTS / 50);
  expect(refused).toBeGreaterThan(VARIANTS / 4);
  expect(most).toBeLessThan(400e6);
}

test(`${VARIANTS} damaged GGUF files`, () => {
  const path = join(folder, "whole.gguf");
  scope(() => {
    const metadata = new Map<string, WrittenValue>([
      ["general.architecture", "llama"],
      ["llama.context_length", 64],
      ["llama.rope.freq_base", { float32: 10_000 }],
      ["general.alignment", 32],
      ["tokenizer.ggml.tokens", ["<unk>", "<s>", "▁the", "😀", ""]],
      ["tokenizer.ggml.token_type", Int32Array.of(2, 3, 1, 1, 1)],
      ["tokenizer.ggml.scores", Float32Array.of(0, 0, -1, -2, -3)],
      ["some.flags", [true, false, true]],
      ["tokenizer.ggml.add_bos_token", true],
    ]);
    const tensors = (["F32", "F16", "BF16", "Q8_0"] as const).map(
      (type, i): WrittenTensor => ({ name: `blk.${i}.weight`, type, shape: [2, 32], read: () => torch.randn([2, 32]) }),
    );
    writeGguf(path, metadata, [...tensors, { name: "norm", type: "F32", shape: [8], read: () => torch.ones([8]) }]);
  });
  const original = readFileSync(path);
  const { tensors } = openGguf(path);
  const headerBytes = Math.min(...[...tensors.values()].map(({ start }) => start));
  const isClear = (error: unknown) =>
    error instanceof PerennialError &&
    error.code === "GGUF" &&
    error.message.includes("damaged.gguf") &&
    // What a read beyond the end would say.
    !error.message.includes("became shorter");
  attack("damaged.gguf", original, headerBytes, openGguf, isClear);
});

test(`${VARIANTS} damaged safetensors files`, () => {
  const path = join(folder, "whole.safetensors");
  scope(() =>
    writeSafetensors(path, { a: torch.randn([2, 8]), "model.b": torch.ones([5]).to("bfloat16"), c: torch.arange(3) }, { format: "pt" }),
  );
  const original = readFileSync(path);
  const headerBytes = 8 + Number(original.readBigUInt64LE());
  const isClear = (error: unknown) =>
    (error as { code?: string }).code === "SAFETENSORS" && (error as Error).message.includes("damaged.safetensors");
  attack("damaged.safetensors", original, headerBytes, openSafetensors, isClear);
});
