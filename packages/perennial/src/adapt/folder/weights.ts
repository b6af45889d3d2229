/** The weights of a model folder, written tensor by tensor into shards with their index. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { itemSize, openSafetensors, SafetensorsWriter, type Tensor, type WrittenEntry } from "@perennial/torch";

export interface OutputTensor extends WrittenEntry {
  /** Hands over all values, range by range, in any floating point type. */
  write(append: (values: Tensor) => void): Promise<void> | void;
}

/** Names of tensors by file, in the order of their data. */
export type Shards = ReadonlyMap<string, readonly string[]>;

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** How a folder's weights lie in files. */
export function shardsOf(folder: string): Shards {
  const index = join(folder, INDEX);
  const files = existsSync(index)
    ? [...new Set(Object.values((JSON.parse(readFileSync(index, "utf8")) as { weight_map: Record<string, string> }).weight_map))].sort()
    : [SINGLE];
  return new Map(
    files.map((file) => {
      const reader = openSafetensors(join(folder, file));
      reader.close();
      return [file, reader.names];
    }),
  );
}

/** Files of at most `maxShardBytes`, unless a tensor alone is larger. */
export function planShards(tensors: readonly WrittenEntry[], maxShardBytes: number): Shards {
  const shards: string[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = bytesOf(tensor);
    if (bytes > 0 && bytes + size > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor.name);
    bytes += size;
  }
  if (shards.length === 1) return new Map([[SINGLE, shards[0]!]]);
  const number = (i: number) => String(i).padStart(5, "0");
  return new Map(shards.map((names, i) => [`model-${number(i + 1)}-of-${number(shards.length)}.safetensors`, names]));
}

/** `onTensor` is called before each tensor. Tensors that no shard names are not written. */
export async function writeWeights(
  folder: string,
  tensors: readonly OutputTensor[],
  shards: Shards,
  onTensor?: (done: number, total: number) => void,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  let done = 0;
  for (const [file, names] of shards) {
    // Larger elements first keeps every tensor aligned to its own size.
    const own = names.flatMap((name) => byName.get(name) ?? []).sort((a, b) => itemSize(b.dtype) - itemSize(a.dtype));
    const writer = new SafetensorsWriter(join(folder, file), own, { format: "pt", ...metadata });
    try {
      for (const tensor of own) {
        onTensor?.(done++, tensors.length);
        await tensor.write((values) => writer.append(values));
      }
      writer.close();
    } finally {
      writer.discard();
    }
  }
  if (shards.size === 1) return;
  const weightMap = Object.fromEntries(
    [...shards].flatMap(([file, names]) => names.filter((name) => byName.has(name)).map((name) => [name, file])),
  );
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  writeFileSync(join(folder, INDEX), `${JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2)}\n`);
}

export const bytesOf = ({ dtype, shape }: WrittenEntry): number => itemSize(dtype) * shape.reduce((product, size) => product * size, 1);
