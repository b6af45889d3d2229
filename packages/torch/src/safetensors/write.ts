import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { noGrad } from "../autograd.ts";
import { begin, putHandles } from "../call.ts";
import { itemSize } from "../dtype.ts";
import { type FileSummary, native } from "../native.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { formatHeader } from "./header.ts";

export type Tensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

const entriesOf = (tensors: Tensors): [string, Tensor][] =>
  tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, Tensor>);

/** The header and the tensors in the order of the file. */
function arrange(tensors: Tensors, metadata: Readonly<Record<string, string>>) {
  const entries = entriesOf(tensors).map(([name, tensor]) => ({ name, tensor, dtype: tensor.dtype, shape: tensor.shape }));
  // Larger elements first keeps every tensor aligned to its own size.
  entries.sort((a, b) => itemSize(b.dtype) - itemSize(a.dtype) || (a.name < b.name ? -1 : 1));
  return { entries, bytes: formatHeader(entries, metadata).bytes };
}

/**
 * Writes tensors to one file. Atomic: a temporary file beside it is filled, synced and renamed, so that the path holds
 * either the old file or the whole new one, also after a crash or on a full disk.
 */
export function writeSafetensors(path: string, tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): void {
  const { entries, bytes } = arrange(tensors, metadata);
  atomically(path, (file) => {
    writeAll(file, bytes);
    for (const { tensor } of entries) {
      scope(() => {
        const data = torch.view(torch.resolveConj(tensor.detach().cpu()).contiguous().view([-1]), "uint8");
        for (let start = 0; start < data.numel; start += CHUNK_BYTES) {
          scope(() => writeAll(file, data.slice(0, start, Math.min(start + CHUNK_BYTES, data.numel)).toTypedArray() as Uint8Array));
        }
      });
    }
  });
}

/**
 * Writes the same file while the program goes on. `copy`: the tensors are copied before this returns its promise and may change from then
 * on; without it they must stay as they are until the promise is kept, and no further memory is taken. The path must not exist, or may be
 * lost: the file is synced but not renamed into place; it belongs into a folder that is renamed as a whole. A failed write leaves no file.
 */
export async function writeSafetensorsInBackground(
  path: string,
  tensors: Tensors,
  { copy, metadata = {} }: { readonly copy: boolean; readonly metadata?: Readonly<Record<string, string>> },
): Promise<FileSummary> {
  const writing = scope(() => {
    const { entries, bytes } = arrange(tensors, metadata);
    const held = noGrad(() => entries.map(({ tensor }) => tensor.detach().to({ device: "cpu", copy }).contiguous()));
    begin();
    putHandles(held);
    return { promise: native.writeFile(path, bytes) };
  });
  try {
    return await writing.promise;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Size and CRC-32C of a file, read in the background. */
export const checksumFile = (path: string): Promise<FileSummary> => native.checksumFile(path);

/**
 * Writes tensors into shards of at most `maxShardBytes` with an index, as Hugging Face lays them out; one file
 * `model.safetensors` when all fit into it. Returns the names of the files written.
 */
export function writeSharded(
  folder: string,
  tensors: Tensors,
  options: { maxShardBytes?: number; name?: string; metadata?: Readonly<Record<string, string>> } = {},
): string[] {
  const { maxShardBytes = 5e9, name = "model", metadata = {} } = options;
  const shards: [string, Tensor][][] = [[]];
  let bytes = 0;
  let total = 0;
  for (const [key, tensor] of entriesOf(tensors)) {
    const size = tensor.nbytes;
    if (bytes > 0 && bytes + size > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push([key, tensor]);
    bytes += size;
    total += size;
  }
  if (shards.length === 1) {
    writeSafetensors(join(folder, `${name}.safetensors`), new Map(shards[0]), metadata);
    return [`${name}.safetensors`];
  }
  const number = (i: number) => String(i).padStart(5, "0");
  const weightMap: Record<string, string> = {};
  const files = shards.map((shard, i) => {
    const file = `${name}-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
    writeSafetensors(join(folder, file), new Map(shard), metadata);
    for (const [key] of shard) weightMap[key] = file;
    return file;
  });
  const index = `${name}.safetensors.index.json`;
  atomically(join(folder, index), (file) =>
    writeAll(file, Buffer.from(`${JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2)}\n`)),
  );
  return [...files, index];
}

const CHUNK_BYTES = 1 << 26;

function writeAll(file: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written);
}

function atomically(path: string, fill: (file: number) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, "w");
  try {
    try {
      fill(file);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  // The rename itself must survive a power cut; not every file system lets a folder be synced.
  try {
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch {}
}
