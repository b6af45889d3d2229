/**
 * Blocks of quantized values → float32. d, m: scale and minimum of a block (half precision); q: unsigned integers.
 *   Q8_0  32 values   d · q, q signed bytes
 *   Q4_0  32          d · (q − 8)            Q4_1  d · q + m        values 0 … 15 in the low, 16 … 31 in the high halves of bytes
 *   Q5_0  32          d · (q − 16)           Q5_1  d · q + m        the fifth bits in 4 bytes before
 *   Q4_K  256         d·s_j · q − m·t_j      8 sub-blocks j of 32 with 6-bit scales s, t in 12 bytes
 *   Q5_K  256         as Q4_K, the fifth bits in 32 bytes, bit j of byte i for value i of sub-block j
 *   Q6_K  256         d·s_j · (q − 32)       16 sub-blocks of 16 with signed 8-bit scales s
 * Every product and sum is rounded to single precision, as the reference does: the results are the same to the bit.
 * Source of the layouts: ggml-quants.c and gguf-py/gguf/quants.py of https://github.com/ggml-org/llama.cpp.
 */
import { halfTable } from "./half.ts";
import type { TensorTypeName } from "./tensor-types.ts";

type Kernel = (bytes: Uint8Array, values: Float32Array, half: Float32Array) => void;

const { fround } = Math;

/** Halves of bytes, with an optional fifth bit, an offset or a minimum: Q4_0, Q4_1, Q5_0, Q5_1. */
function nibbles({ hasMinimum, fifthBit, offset }: { hasMinimum: boolean; fifthBit: boolean; offset: number }): Kernel {
  const bitsAt = hasMinimum ? 4 : 2;
  const valuesAt = bitsAt + (fifthBit ? 4 : 0);
  const blockBytes = valuesAt + 16;
  return (bytes, values, half) => {
    for (let block = 0, to = 0; to < values.length; block += blockBytes, to += 32) {
      const d = half[bytes[block]! | (bytes[block + 1]! << 8)]!;
      const m = hasMinimum ? half[bytes[block + 2]! | (bytes[block + 3]! << 8)]! : -0; // which changes nothing, 0 would change −0
      const at = block + bitsAt;
      const bits = fifthBit ? bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24) : 0;
      for (let i = 0; i < 16; i++) {
        const byte = bytes[block + valuesAt + i]!;
        const low = (byte & 15) | (((bits >>> i) & 1) << 4);
        const high = (byte >> 4) | (((bits >>> (i + 16)) & 1) << 4);
        values[to + i] = fround(d * (low - offset)) + m;
        values[to + 16 + i] = fround(d * (high - offset)) + m;
      }
    }
  };
}

/** Sub-blocks of 32 with scales and minima of 6 bits: Q4_K, Q5_K. */
function superBlocks(fifthBit: boolean): Kernel {
  const bitsAt = 16;
  const valuesAt = bitsAt + (fifthBit ? 32 : 0);
  const blockBytes = valuesAt + 128;
  return (bytes, values, half) => {
    for (let block = 0, to = 0; to < values.length; block += blockBytes, to += 256) {
      const d = half[bytes[block]! | (bytes[block + 1]! << 8)]!;
      const m = half[bytes[block + 2]! | (bytes[block + 3]! << 8)]!;
      for (let j = 0; j < 8; j++) {
        // The first four scales and minima lie in the low 6 bits of bytes; the others in 4 bits and the 2 that were left over.
        const s = block + 4;
        const scale = j < 4 ? bytes[s + j]! & 63 : (bytes[s + 4 + j]! & 15) | ((bytes[s + j - 4]! >> 6) << 4);
        const minimum = j < 4 ? bytes[s + 4 + j]! & 63 : (bytes[s + 4 + j]! >> 4) | ((bytes[s + j]! >> 6) << 4);
        const ds = fround(d * scale);
        const mt = fround(m * minimum);
        const from = block + valuesAt + (j >> 1) * 32;
        const shift = (j & 1) * 4;
        for (let i = 0; i < 32; i++) {
          const fifth = fifthBit ? ((bytes[block + bitsAt + i]! >> j) & 1) << 4 : 0;
          values[to + j * 32 + i] = fround(ds * (((bytes[from + i]! >> shift) & 15) | fifth)) - mt;
        }
      }
    }
  };
}

const q6k: Kernel = (bytes, values, half) => {
  for (let block = 0, to = 0; to < values.length; block += 210, to += 256) {
    const d = half[bytes[block + 208]! | (bytes[block + 209]! << 8)]!;
    for (let j = 0; j < 8; j++) {
      // Runs of 32: four bits in ql (64 bytes for four runs, two runs a byte), two in qh (32 bytes for four runs).
      const low = block + (j >> 2) * 64 + (j & 1) * 32;
      const lowShift = ((j >> 1) & 1) * 4;
      const high = block + 128 + (j >> 2) * 32;
      const highShift = (j & 3) * 2;
      for (let i = 0; i < 32; i++) {
        const q = ((bytes[low + i]! >> lowShift) & 15) | (((bytes[high + i]! >> highShift) & 3) << 4);
        const scale = (bytes[block + 192 + j * 2 + (i >> 4)]! << 24) >> 24;
        values[to + j * 32 + i] = fround(d * scale) * (q - 32);
      }
    }
  }
};

const q8: Kernel = (bytes, values, half) => {
  for (let block = 0, to = 0; to < values.length; block += 34, to += 32) {
    const d = half[bytes[block]! | (bytes[block + 1]! << 8)]!;
    for (let i = 0; i < 32; i++) values[to + i] = d * ((bytes[block + 2 + i]! << 24) >> 24);
  }
};

const kernels: Readonly<Record<Exclude<TensorTypeName, "F32" | "F16" | "BF16">, Kernel>> = {
  Q8_0: q8,
  Q4_0: nibbles({ hasMinimum: false, fifthBit: false, offset: 8 }),
  Q4_1: nibbles({ hasMinimum: true, fifthBit: false, offset: 0 }),
  Q5_0: nibbles({ hasMinimum: false, fifthBit: true, offset: 16 }),
  Q5_1: nibbles({ hasMinimum: true, fifthBit: true, offset: 0 }),
  Q4_K: superBlocks(false),
  Q5_K: superBlocks(true),
  Q6_K: q6k,
};

export type QuantizedType = keyof typeof kernels;
export const isQuantized = (name: TensorTypeName): name is QuantizedType => name in kernels;

/** Whole blocks of `type` → as many values as `values` holds. */
export function dequantize(type: QuantizedType, bytes: Uint8Array, values: Float32Array): void {
  kernels[type](bytes, values, halfTable());
}
