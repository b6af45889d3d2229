/**
 * The header of a safetensors file: eight bytes of length (little-endian), then JSON that maps names to dtype, shape
 * and byte range. A file may come from anywhere, so every number is checked before it is used.
 */
import type { Dtype } from "../dtype.ts";
import { itemSize } from "../dtype.ts";

/** The reference implementation's limit. A larger header is a damaged or hostile file. */
export const MAX_HEADER_BYTES = 100_000_000;

const toFile: Partial<Record<Dtype, string>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  bool: "BOOL",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  complex64: "C64",
};
const fromFile = new Map(Object.entries(toFile).map(([dtype, name]) => [name, dtype as Dtype]));

export interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Byte range inside the data that follows the header. */
  readonly start: number;
  readonly end: number;
}

export interface Header {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data begins in the file. */
  readonly dataOffset: number;
  readonly fileBytes: number;
}

/** Any damage to a file or an index: says which file, and what is wrong. */
export class SafetensorsError extends Error {
  readonly code = "SAFETENSORS";
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = "SafetensorsError";
  }
}

/** Reads and checks a header. `fileBytes`: size of the whole file; `text`: the JSON after the eight bytes of length. */
export function parseHeader(path: string, text: string, headerBytes: number, fileBytes: number): Header {
  const bad = (problem: string) => new SafetensorsError(path, problem);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad(`the header is not JSON (${(error as Error).message})`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw bad("the header is not a JSON object");
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined) throw bad(`the header names "${duplicate}" twice`);
  const dataOffset = 8 + headerBytes;
  const dataBytes = fileBytes - dataOffset;
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") {
      metadata = checkedMetadata(value, bad);
      continue;
    }
    entries.set(name, checkedEntry(name, value, dataBytes, bad));
  }
  const ranges = [...entries.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  let position = 0;
  for (const { name, start, end } of ranges) {
    if (start < position) throw bad(`tensor "${name}" overlaps another one`);
    if (start > position) throw bad(`there is a hole of ${start - position} bytes before tensor "${name}"`);
    position = end;
  }
  if (position !== dataBytes)
    throw bad(`the tensors take ${position} bytes but the file holds ${dataBytes}; it is cut short or has a tail`);
  return { entries, metadata, dataOffset, fileBytes };
}

function checkedMetadata(value: unknown, bad: (problem: string) => Error): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || Object.values(value).some((item) => typeof item !== "string"))
    throw bad("__metadata__ must map strings to strings");
  return value as Record<string, string>;
}

function checkedEntry(name: string, value: unknown, dataBytes: number, bad: (problem: string) => Error): Entry {
  const {
    dtype: typeName,
    shape,
    data_offsets: offsets,
  } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const dtype = typeof typeName === "string" ? fromFile.get(typeName) : undefined;
  if (dtype === undefined) throw bad(`tensor "${name}" has an unknown dtype ${JSON.stringify(typeName)}`);
  const natural = (item: unknown): item is number => Number.isSafeInteger(item) && (item as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(natural)) throw bad(`tensor "${name}" has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(natural)) throw bad(`tensor "${name}" has no valid data_offsets`);
  const [start, end] = offsets as [number, number];
  if (start > end || end > dataBytes) throw bad(`tensor "${name}" lies at bytes ${start} to ${end}, outside of the file's ${dataBytes}`);
  let bytes = itemSize(dtype);
  for (const size of shape as number[]) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) throw bad(`tensor "${name}" has a shape of absurd size`);
  }
  if (bytes !== end - start) throw bad(`tensor "${name}" needs ${bytes} bytes for its shape but has ${end - start}`);
  return { name, dtype, shape: shape as number[], start, end };
}

/** JSON.parse keeps the last of equal keys; a file that has two names for one tensor is not to be trusted. */
function duplicateKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === '"') {
      const start = i;
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
      let next = i + 1;
      while (next < text.length && " \n\r\t".includes(text[next]!)) next++;
      if (depth === 1 && text[next] === ":") {
        const key = JSON.parse(text.slice(start, i + 1)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
      }
    }
  }
  return undefined;
}

/** The header of a file with these tensors, padded with spaces so that the data begins at a multiple of 8 bytes. */
export function formatHeader(
  tensors: readonly { name: string; dtype: Dtype; shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): { bytes: Uint8Array; ranges: { start: number; end: number }[] } {
  const header: Record<string, unknown> = Object.assign(
    Object.create(null),
    Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata },
  );
  let position = 0;
  const ranges = tensors.map(({ name, dtype, shape }) => {
    const type = toFile[dtype];
    if (name === "__metadata__") throw new TypeError("safetensors keeps the name __metadata__ for itself; rename the tensor");
    if (type === undefined) throw new TypeError(`safetensors has no dtype ${dtype} (tensor "${name}")`);
    const start = position;
    position += itemSize(dtype) * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: type, shape, data_offsets: [start, position] };
    return { start, end: position };
  });
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  return { bytes: padded, ranges };
}
