/** Opens a GGUF file: metadata at once, tensors one at a time when asked for. */
import { closeSync } from "node:fs";
import { type Dtype, fromArray, type Tensor, torch } from "@perennial/torch";
import { nearest, PerennialError } from "../errors.ts";
import { readExactly } from "./cursor.ts";
import { dequantize, isQuantized } from "./dequantize.ts";
import { type GgufHeader, openGgufFile, parseGgufHeader, type TensorInfo } from "./header.ts";
import type { TensorTypeName } from "./tensor-types.ts";

export interface GgufReader extends GgufHeader {
  readonly names: readonly string[];
  describe(name: string): TensorInfo;
  /** Quantized types become float32, the others what they are. Errors: an unknown name, a file that became shorter. */
  read(name: string): Tensor;
  close(): void;
}

const dtypes: Partial<Record<TensorTypeName, Dtype>> = { F32: "float32", F16: "float16", BF16: "bfloat16" };
/** dtype of what `read` returns. */
export const dtypeOf = (type: TensorTypeName): Dtype => dtypes[type] ?? "float32";

/** Quantized bytes that are held beside the values. */
const CHUNK_BYTES = 1 << 22;

export function openGguf(path: string): GgufReader {
  const file = openGgufFile(path);
  let header: GgufHeader;
  try {
    header = parseGgufHeader(path, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  const describe = (name: string): TensorInfo => {
    const info = header.tensors.get(name);
    if (info !== undefined) return info;
    const guess = nearest(name, header.tensors.keys());
    throw new PerennialError("GGUF", `${path}: there is no tensor "${name}"${guess === undefined ? "" : `; the nearest name is ${guess}`}`);
  };
  return {
    ...header,
    names: [...header.tensors.keys()],
    describe,
    read: (name) => readTensor(path, file, describe(name)),
    close: () => closeSync(file),
  };
}

function readTensor(path: string, file: number, { type, shape, start, end }: TensorInfo): Tensor {
  if (start === end) return torch.empty([...shape], { dtype: dtypeOf(type.name) });
  if (!isQuantized(type.name)) {
    const bytes = new Uint8Array(end - start);
    readExactly(file, bytes, start, path);
    return torch.view(torch.view(fromArray(bytes), dtypeOf(type.name)), [...shape]);
  }
  const values = new Float32Array(((end - start) / type.blockBytes) * type.blockValues);
  const chunk = new Uint8Array(Math.min(end - start, Math.floor(CHUNK_BYTES / type.blockBytes) * type.blockBytes));
  for (let at = start, done = 0; at < end; at += chunk.length) {
    const bytes = chunk.subarray(0, Math.min(chunk.length, end - at));
    readExactly(file, bytes, at, path);
    const count = (bytes.length / type.blockBytes) * type.blockValues;
    dequantize(type.name, bytes, values.subarray(done, done + count));
    done += count;
  }
  return fromArray(values, { shape });
}
