import { isUtf8 } from "node:buffer";
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { begin, beginReading, intern, putWord, take } from "../call.ts";
import { type Dtype, itemSize } from "../dtype.ts";
import { native } from "../native.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { type Entry, type Header, MAX_HEADER_BYTES, parseHeader, SafetensorsError } from "./header.ts";

/** Tensors by name, read from the open file when asked for: one that is replaced or renamed meanwhile stays readable as it was. */
export interface SafetensorsReader {
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** dtype and shape, without reading the data. */
  describe(name: string): Pick<Entry, "dtype" | "shape">;
  /** A tensor of its own, or mapped. Errors: an unknown name; a file that was cut short since it was opened. */
  read(name: string): Tensor;
  /** Its values from `start` to before `end`, counted along the flattened tensor: [end − start]. */
  readFlat(name: string, start: number, end: number): Tensor;
  /** Closes the file; a reader that is forgotten closes it some time. */
  close(): void;
}

export interface OpenOptions {
  /**
   * Tensors are the file's own pages, loaded when they are touched and shared with every process that maps the file; what is
   * written to them stays in this process, and they outlive the reader and the file's name. Default: copies, because a mapped file
   * that somebody cuts short afterwards ends the process that touches it (SIGBUS), which nothing can turn into an error. Data that
   * is not aligned to its dtype is copied all the same.
   */
  readonly mapped?: boolean;
}

/** Opens one file, or, given a `…index.json`, the shards that it names. Errors: SafetensorsError on any damage. */
export function openSafetensors(path: string, { mapped = false }: OpenOptions = {}): SafetensorsReader {
  return path.endsWith(".json") ? openSharded(path, mapped) : openFile(path, mapped);
}

function readHeader(path: string, file: number): Header {
  const status = fstatSync(file);
  if (!status.isFile()) throw new SafetensorsError(path, "this is not a file");
  const fileBytes = status.size;
  const length = Buffer.alloc(8);
  if (readSync(file, length, 0, 8, 0) !== 8) throw new SafetensorsError(path, `${fileBytes} bytes are too few for a safetensors file`);
  const headerBytes = Number(length.readBigUInt64LE());
  if (headerBytes > MAX_HEADER_BYTES)
    throw new SafetensorsError(path, `the header claims ${headerBytes} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  if (8 + headerBytes > fileBytes)
    throw new SafetensorsError(path, `the header claims ${headerBytes} bytes but the file has ${fileBytes}; it is cut short`);
  const text = Buffer.alloc(headerBytes);
  readSync(file, text, 0, headerBytes, 8);
  if (!isUtf8(text)) throw new SafetensorsError(path, "the header is not UTF-8");
  return parseHeader(path, text.toString("utf8"), headerBytes, fileBytes);
}

const forgotten = new FinalizationRegistry<number>(closeSync);

function openFile(path: string, mapped: boolean): SafetensorsReader {
  const file = openSync(path, "r");
  let header: Header;
  try {
    header = readHeader(path, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  const { entries, metadata, dataOffset, fileBytes } = header;
  let isOpen = true;
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry === undefined) throw new SafetensorsError(path, `there is no tensor "${name}"`);
    return entry;
  };
  const copied = (shape: readonly number[], dtype: Dtype, offset: number): Tensor => {
    const tensor = torch.empty([...shape], { dtype });
    begin();
    putWord(tensor.liveHandle);
    putWord(offset);
    try {
      native.readRange(file);
    } catch (error) {
      tensor.dispose();
      throw error;
    }
    return tensor;
  };
  const pagesOf = (shape: readonly number[], dtype: Dtype, offset: number): Tensor => {
    begin();
    for (const word of [intern(dtype), offset, fileBytes, shape.length, ...shape]) putWord(word);
    native.mapRange(file);
    beginReading();
    return take() as Tensor;
  };
  const fill = (name: string, shape: readonly number[], dtype: Dtype, start: number): Tensor => {
    if (!isOpen) throw new SafetensorsError(path, `the file was closed before tensor "${name}" was read`);
    const offset = dataOffset + start;
    const canMap = mapped && offset % itemSize(dtype) === 0 && !shape.includes(0);
    try {
      return canMap ? pagesOf(shape, dtype, offset) : copied(shape, dtype, offset);
    } catch (error) {
      throw new SafetensorsError(path, `tensor "${name}": ${(error as Error).message}`);
    }
  };
  const reader: SafetensorsReader = {
    names: [...entries.keys()],
    metadata,
    describe: entryOf,
    read(name) {
      const { dtype, shape, start } = entryOf(name);
      return fill(name, shape, dtype, start);
    },
    readFlat(name, from, to) {
      const { dtype, start, end } = entryOf(name);
      const size = itemSize(dtype);
      if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to && start + to * size <= end))
        throw new RangeError(`tensor "${name}" has ${(end - start) / size} values, not ${from} to ${to}`);
      return fill(name, [to - from], dtype, start + from * size);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      forgotten.unregister(reader);
      closeSync(file);
    },
  };
  forgotten.register(reader, file, reader);
  return reader;
}

const isPlainName = (file: string) => file !== "" && file !== "." && file !== ".." && !/[\\/\0]/.test(file);

function openSharded(indexPath: string, mapped: boolean): SafetensorsReader {
  let index: unknown;
  try {
    index = JSON.parse(readFileSync(indexPath, "utf8"));
  } catch (error) {
    throw new SafetensorsError(indexPath, `the index is not JSON (${(error as Error).message})`);
  }
  const weightMap = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weightMap !== "object" || weightMap === null || Array.isArray(weightMap))
    throw new SafetensorsError(indexPath, "the index has no weight_map");
  const shards = new Map<string, SafetensorsReader>();
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(weightMap)) {
    if (typeof file !== "string" || !isPlainName(file))
      throw new SafetensorsError(
        indexPath,
        `tensor "${name}" points to ${JSON.stringify(file)}, which is not a plain file name beside the index`,
      );
    places.set(name, file);
  }
  for (const file of new Set(places.values())) {
    const path = join(dirname(indexPath), file);
    if (!existsSync(path)) throw new SafetensorsError(indexPath, `the shard ${file} is missing`);
    shards.set(file, openFile(path, mapped));
  }
  for (const [name, file] of places) {
    if (!shards.get(file)!.names.includes(name)) throw new SafetensorsError(indexPath, `${file} does not hold tensor "${name}"`);
  }
  const shardOf = (name: string): SafetensorsReader => {
    const file = places.get(name);
    if (file === undefined) throw new SafetensorsError(indexPath, `there is no tensor "${name}"`);
    return shards.get(file)!;
  };
  return {
    names: [...places.keys()],
    metadata: Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata)) as Record<string, string>,
    describe: (name) => shardOf(name).describe(name),
    read: (name) => shardOf(name).read(name),
    readFlat: (name, start, end) => shardOf(name).readFlat(name, start, end),
    close: () => {
      for (const shard of shards.values()) shard.close();
    },
  };
}
