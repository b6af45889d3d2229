/**
 * The header of a GGUF file, versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), little-endian:
 *   "GGUF" · version u32 · number of tensors u64 · number of metadata entries u64
 *   entries: key string · type u32 · value; arrays: type u32 · count u64 · values
 *   tensors: name string · number of dimensions u32 · dimensions u64, innermost first · type u32 · offset u64 in the data
 *   padding to a multiple of general.alignment (32), data
 * A file may come from anywhere: every number is checked against what is left of the file before anything is made of it.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { FieldError } from "../errors.ts";
import { Cursor, readExactly } from "./cursor.ts";
import { otherTypeNames, type TensorType, tensorTypesById } from "./tensor-types.ts";
import { ARRAY, BOOL, type Metadata, type MetadataValue, numberArrays, STRING } from "./values.ts";

export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  /** Outermost first, as everywhere else here. */
  readonly shape: readonly number[];
  /** Byte range in the file. */
  readonly start: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly path: string;
  readonly version: number;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

export const MAGIC = "GGUF";
export const DEFAULT_ALIGNMENT = 32;
export const MAX_NAME_BYTES = 64;
const MAX_KEY_BYTES = 65_535;
const MAX_DIMENSIONS = 4;
const MAX_ALIGNMENT = 1 << 16;
const MAX_SMALL_BYTES = 1 << 16;
/** The fewest bytes of an entry and of a tensor: what bounds their numbers by the size of the file. */
const MIN_ENTRY_BYTES = 8 + 4 + 1;
const MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;

/** Whether a path is meant as a GGUF file rather than as a folder. */
export const isGgufPath = (path: string): boolean => /\.gguf$/i.test(path);

/** Reads the header alone. Errors: FieldError with the file, the byte and the key or tensor. */
export function readGgufHeader(path: string): GgufHeader {
  const file = openGgufFile(path);
  try {
    return parseGgufHeader(path, file);
  } finally {
    closeSync(file);
  }
}

export function openGgufFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new FieldError("GGUF_MISSING", { at: path, expected: "a GGUF file", todo: "check the path of the model" }, { cause: error });
  }
}

export function parseGgufHeader(path: string, file: number): GgufHeader {
  const status = fstatSync(file);
  if (!status.isFile()) throw new FieldError("GGUF", { at: path, expected: "a GGUF file", todo: "check the path of the model" });
  const cursor = new Cursor(path, file, status.size);
  const magic = Buffer.from(cursor.bytes(4, "magic")).toString("latin1");
  if (magic !== MAGIC) throw cursor.wrong("magic", '"GGUF"', magic, "this is no GGUF file");
  const version = cursor.uint32("version");
  if (version !== 2 && version !== 3)
    throw cursor.wrong(
      "version",
      "2 or 3",
      version,
      version === 0x02000000 || version === 0x03000000
        ? "the file is big-endian; convert it with gguf_convert_endian.py"
        : "convert the model again with a current llama.cpp",
    );
  const numTensors = cursor.uint64("number of tensors", Math.floor(cursor.left / MIN_TENSOR_BYTES));
  const numEntries = cursor.uint64("number of metadata entries", Math.floor(cursor.left / MIN_ENTRY_BYTES));
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < numEntries; i++) {
    const key = cursor.string("key of a metadata entry", { limit: MAX_KEY_BYTES, name: true });
    if (metadata.has(key)) throw cursor.wrong(key, "every key once", undefined, "the file is damaged; fetch it again");
    metadata.set(key, readValue(cursor, key));
  }
  return { path, version, metadata, tensors: readTensors(cursor, numTensors, alignmentOf(cursor, metadata)) };
}

function readValue(cursor: Cursor, key: string): MetadataValue {
  const type = cursor.uint32(`type of ${key}`);
  if (type === STRING) return cursor.string(key);
  if (type === BOOL) return readBoolean(cursor, key);
  if (type === ARRAY) return readArray(cursor, key);
  const numbers = numberArrays.get(type);
  if (numbers === undefined) throw cursor.wrong(`type of ${key}`, "a type from 0 to 12", type);
  const [value] = new numbers(cursor.bytes(numbers.BYTES_PER_ELEMENT, key).buffer);
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value!;
}

function readBoolean(cursor: Cursor, key: string): boolean {
  const value = cursor.uint8(key);
  if (value > 1) throw cursor.wrong(key, "0 or 1 for a boolean", value);
  return value === 1;
}

function readArray(cursor: Cursor, key: string): MetadataValue {
  const type = cursor.uint32(`type of the elements of ${key}`);
  const numbers = numberArrays.get(type);
  if (numbers === undefined && type !== STRING && type !== BOOL)
    throw cursor.wrong(
      `type of the elements of ${key}`,
      "numbers, booleans or strings",
      type,
      type === ARRAY ? "arrays of arrays are not read" : undefined,
    );
  const elementBytes = numbers?.BYTES_PER_ELEMENT ?? (type === STRING ? 8 : 1);
  const count = cursor.uint64(`number of elements of ${key}`, Math.floor(Math.max(0, cursor.left - 8) / elementBytes));
  if (numbers !== undefined) return new numbers(cursor.bytes(count * elementBytes, key).buffer);
  // Grown as it is read: a count that lies is found out before memory is taken for it.
  const strings: string[] = [];
  const booleans: boolean[] = [];
  for (let i = 0; i < count; i++) {
    if (type === STRING) strings.push(cursor.string(`${key}[${i}]`));
    else booleans.push(readBoolean(cursor, `${key}[${i}]`));
  }
  return type === STRING ? strings : booleans;
}

function alignmentOf(cursor: Cursor, metadata: Metadata): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || !(alignment >= 1 && alignment <= MAX_ALIGNMENT) || !Number.isInteger(Math.log2(alignment)))
    throw cursor.wrong("general.alignment", `a power of two up to ${MAX_ALIGNMENT}`, alignment);
  return alignment;
}

function readTensors(cursor: Cursor, count: number, alignment: number): Map<string, TensorInfo> {
  const tensors: (Omit<TensorInfo, "start" | "end"> & { offset: number; bytes: number })[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const name = cursor.string(`name of tensor ${i}`, { limit: MAX_NAME_BYTES, name: true });
    const what = `tensor "${name}"`;
    if (names.has(name)) throw cursor.wrong(what, "every name once", undefined, "the file is damaged; fetch it again");
    names.add(name);
    const numDimensions = cursor.uint32(`number of dimensions of ${what}`);
    if (numDimensions > MAX_DIMENSIONS) throw cursor.wrong(`number of dimensions of ${what}`, `at most ${MAX_DIMENSIONS}`, numDimensions);
    const shape = Array.from({ length: numDimensions }, () => cursor.uint64(`a dimension of ${what}`, Number.MAX_SAFE_INTEGER)).reverse();
    const type = readType(cursor, what);
    const innermost = shape.at(-1) ?? 1;
    if (innermost % type.blockValues !== 0)
      throw cursor.wrong(what, `rows of a multiple of ${type.blockValues} values, as ${type.name} has them`, innermost);
    let values = 1;
    for (const size of shape) {
      values *= size;
      if (!(values * type.blockBytes <= Number.MAX_SAFE_INTEGER)) throw cursor.wrong(what, "a shape that a file can hold", shape);
    }
    const offset = cursor.uint64(`offset of ${what}`, cursor.fileBytes);
    if (offset % alignment !== 0) throw cursor.wrong(`offset of ${what}`, `a multiple of general.alignment (${alignment})`, offset);
    tensors.push({ name, type, shape, offset, bytes: (values / type.blockValues) * type.blockBytes });
  }
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  for (const { name, offset, bytes } of tensors)
    if (dataStart + offset + bytes > cursor.fileBytes)
      throw cursor.wrong(
        `tensor "${name}"`,
        `its ${bytes} bytes at ${dataStart + offset} inside of the file`,
        `a file of ${cursor.fileBytes} bytes`,
        "the file is cut short or damaged; fetch it again",
      );
  const inOrder = tensors.filter(({ bytes }) => bytes > 0).sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < inOrder.length; i++)
    if (inOrder[i - 1]!.offset + inOrder[i - 1]!.bytes > inOrder[i]!.offset)
      throw cursor.wrong(`tensor "${inOrder[i]!.name}"`, `bytes of its own`, `an overlap with "${inOrder[i - 1]!.name}"`);
  return new Map(
    tensors.map(({ name, type, shape, offset, bytes }) => [
      name,
      { name, type, shape, start: dataStart + offset, end: dataStart + offset + bytes },
    ]),
  );
}

function readType(cursor: Cursor, what: string): TensorType {
  const id = cursor.uint32(`type of ${what}`);
  const type = tensorTypesById.get(id);
  if (type !== undefined) return type;
  const supported = [...tensorTypesById.values()].map(({ name }) => name).join(", ");
  throw cursor.wrong(
    `type of ${what}`,
    `one of ${supported}`,
    otherTypeNames.get(id) ?? id,
    otherTypeNames.has(id) ? "quantize the model to one of these with llama-quantize, or take another file of it" : undefined,
  );
}

/** The values of a small tensor of type F32, without libtorch. */
export function readFloats({ path }: Pick<GgufHeader, "path">, { name, type, start, end }: TensorInfo): Float32Array {
  if (type.name !== "F32" || end - start > MAX_SMALL_BYTES)
    throw new FieldError("GGUF", {
      at: `${path} ${name}`,
      expected: `at most ${MAX_SMALL_BYTES / 4} values of type F32`,
      received: type.name,
    });
  const file = openGgufFile(path);
  try {
    const bytes = new Uint8Array(end - start);
    readExactly(file, bytes, start, path);
    return new Float32Array(bytes.buffer);
  } finally {
    closeSync(file);
  }
}
