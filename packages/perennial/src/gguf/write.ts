/** Writes a GGUF file of version 3, tensor by tensor: what is held is the header and what one tensor needs. */
import { scope, type Tensor } from "@perennial/torch";
import { AtomicFile } from "../corpus/formats/atomic.ts";
import { PerennialError } from "../errors.ts";
import { DEFAULT_ALIGNMENT, MAGIC, MAX_NAME_BYTES } from "./header.ts";
import { bytesOf, type WrittenType, writeValues } from "./quantize.ts";
import { tensorTypes } from "./tensor-types.ts";
import { ARRAY, BOOL, FLOAT32, type MetadataValue, type NumberArray, numberArrays, STRING, UINT32 } from "./values.ts";

/** Numbers are stored as u32; what is to be single precision says so. */
export type WrittenValue = Exclude<MetadataValue, bigint> | { readonly float32: number };
export type WrittenMetadata = ReadonlyMap<string, WrittenValue>;

export interface WrittenTensor {
  readonly name: string;
  readonly type: WrittenType;
  readonly shape: readonly number[];
  /** Asked for when it is written, inside a scope. */
  read(): Tensor;
}

/** `onTensor` is called before each tensor. Atomic: the path holds the old file or the whole new one. */
export function writeGguf(
  path: string,
  metadata: WrittenMetadata,
  tensors: readonly WrittenTensor[],
  onTensor?: (index: number) => void,
): void {
  const file = new AtomicFile(path);
  try {
    file.write(header(metadata, tensors));
    pad(file);
    for (const [index, { name, type, shape, read }] of tensors.entries()) {
      onTensor?.(index);
      const before = file.sizeBytes;
      scope(() => {
        const tensor = read();
        if (tensor.shape.join() !== shape.join())
          throw new PerennialError("GGUF_SHAPE", `${name}: announced as [${shape.join(", ")}], is [${tensor.shape.join(", ")}]`);
        writeValues(tensor, type, name, (bytes) => file.write(bytes));
      });
      if (file.sizeBytes - before !== bytesOf(type, shape))
        throw new PerennialError("GGUF_SHAPE", `${name}: has rows that are no whole blocks of ${type}`);
      pad(file);
    }
    file.close();
  } catch (error) {
    file.discard();
    throw error;
  }
}

const padding = (bytes: number) => (DEFAULT_ALIGNMENT - (bytes % DEFAULT_ALIGNMENT)) % DEFAULT_ALIGNMENT;
const pad = (file: AtomicFile) => file.write(new Uint8Array(padding(file.sizeBytes)));

function header(metadata: WrittenMetadata, tensors: readonly WrittenTensor[]): Uint8Array {
  const out = new Bytes();
  out.raw(Buffer.from(MAGIC, "latin1"));
  out.uint32(3);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    out.value(value);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    if (Buffer.byteLength(name) >= MAX_NAME_BYTES)
      throw new PerennialError("GGUF_NAME", `${name}: longer than ${MAX_NAME_BYTES - 1} bytes`);
    out.string(name);
    out.uint32(shape.length);
    for (const size of [...shape].reverse()) out.uint64(size);
    out.uint32(tensorTypes[type].id);
    out.uint64(offset);
    const bytes = bytesOf(type, shape);
    offset += bytes + padding(bytes);
  }
  return out.finish();
}

/** Bytes that grow. */
class Bytes {
  private buffer = Buffer.alloc(1 << 16);
  private length = 0;

  private grown(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.buffer.length) {
      const larger = Buffer.alloc(Math.max(2 * this.buffer.length, this.length));
      this.buffer.copy(larger, 0, 0, start);
      this.buffer = larger;
    }
    return start;
  }

  raw(bytes: Uint8Array): void {
    const start = this.grown(bytes.length);
    this.buffer.set(bytes, start);
  }

  uint32(value: number): void {
    const start = this.grown(4);
    this.buffer.writeUInt32LE(value, start);
  }

  uint64(value: number): void {
    const start = this.grown(8);
    this.buffer.writeBigUInt64LE(BigInt(value), start);
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  value(value: WrittenValue): void {
    if (typeof value === "string") {
      this.uint32(STRING);
      this.string(value);
    } else if (typeof value === "boolean") {
      this.uint32(BOOL);
      this.raw(Uint8Array.of(value ? 1 : 0));
    } else if (typeof value === "number") {
      this.uint32(UINT32);
      this.uint32(value);
    } else if ("float32" in value) {
      this.uint32(FLOAT32);
      this.raw(new Uint8Array(Float32Array.of(value.float32).buffer));
    } else {
      this.uint32(ARRAY);
      if (ArrayBuffer.isView(value)) this.numbers(value);
      else this.list(value);
    }
  }

  private numbers(values: NumberArray): void {
    this.uint32([...numberArrays].find(([, type]) => values instanceof type)![0]);
    this.uint64(values.length);
    this.raw(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  private list(values: readonly string[] | readonly boolean[]): void {
    this.uint32(typeof values[0] === "boolean" ? BOOL : STRING);
    this.uint64(values.length);
    for (const item of values) {
      if (typeof item === "string") this.string(item);
      else this.raw(Uint8Array.of(item ? 1 : 0));
    }
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
