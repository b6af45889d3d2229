/** Values → the bytes of a tensor, for the types that are written here. */
import { type Dtype, scope, type Tensor, torch } from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import { halfBits } from "./half.ts";
import { type TensorTypeName, tensorTypes } from "./tensor-types.ts";

export type WrittenType = "F32" | "F16" | "BF16" | "Q8_0";

/** Values that are converted at once: whole blocks. */
const CHUNK_VALUES = 1 << 22;
const dtypes: Readonly<Record<Exclude<WrittenType, "Q8_0">, Dtype>> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

export const bytesOf = (type: TensorTypeName, shape: readonly number[]): number =>
  (shape.reduce((product, size) => product * size, 1) / tensorTypes[type].blockValues) * tensorTypes[type].blockBytes;

/** Gives the bytes of a tensor to `write`, piece by piece. `name` is for errors: a value that F16 cannot hold. */
export function writeValues(tensor: Tensor, type: WrittenType, name: string, write: (bytes: Uint8Array) => void): void {
  const flat = tensor.detach().cpu().contiguous().view([-1]);
  for (let start = 0; start < flat.numel; start += CHUNK_VALUES)
    scope(() => {
      const values = flat.slice(0, start, Math.min(start + CHUNK_VALUES, flat.numel));
      if (type === "Q8_0") return write(quantizeQ8(values.float().toFloat32Array()));
      const converted = values.to(dtypes[type]);
      if (type === "F16" && values.dtype !== "float16" && converted.isinf().logicalAnd(values.isinf().logicalNot()).any().item() !== 0)
        throw new PerennialError("GGUF_RANGE", `${name} holds values beyond 65504, which F16 cannot store; choose bf16 or f32`);
      write(torch.view(converted, "uint8").toTypedArray() as Uint8Array);
    });
}

/**
 * Blocks of 32: d = max |x| / 127, stored in half precision, then q = x · (1/d) rounded half away from zero, in single
 * precision throughout: the bytes of gguf-py/gguf/quants.py.
 */
export function quantizeQ8(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / 32) * 34);
  const { abs, floor, fround, max, sign } = Math;
  for (let from = 0, block = 0; from < values.length; from += 32, block += 34) {
    let most = 0;
    for (let i = from; i < from + 32; i++) most = max(most, abs(values[i]!));
    const d = fround(most / 127);
    const inverse = d === 0 ? 0 : fround(1 / d);
    const bits = halfBits(d);
    bytes[block] = bits & 255;
    bytes[block + 1] = bits >> 8;
    for (let i = 0; i < 32; i++) {
      const x = fround(values[from + i]! * inverse);
      bytes[block + 2 + i] = sign(x) * floor(abs(x) + 0.5);
    }
  }
  return bytes;
}
