/** A model folder copied with other values in its tensors: names, shapes, dtypes, shards and all other files stay. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { extname, join } from "node:path";
import { scope, type Tensor, torch } from "@perennial/torch";
import { FieldError, PerennialError } from "../../errors.ts";
import { openWeights } from "../../model/index.ts";

/** Files beside the weights that belong to the model. */
const carried = new Set([".json", ".txt", ".model", ".jinja", ".md"]);
const CHUNK_BYTES = 1 << 26;

/**
 * Reads `source` tensor by tensor and writes what `rewrite` makes of each, converted to the dtype that it had. One
 * tensor's worth of memory is held at a time, beside what `rewrite` needs. A shard appears when it is whole.
 * Errors: an output that holds weights already, a result of another shape.
 */
export function rewriteWeights(source: string, output: string, rewrite: (name: string, tensor: Tensor) => Tensor): void {
  mkdirSync(output, { recursive: true });
  if (readdirSync(output).some((file) => file.endsWith(".safetensors")))
    throw new FieldError("MERGE_OUTPUT", { at: output, expected: "a folder without weights", todo: "choose another, or delete it" });
  const reader = openWeights(source);
  try {
    for (const shard of shardsOf(source)) {
      const { header, names } = headerOf(join(source, shard));
      const temporary = join(output, `${shard}.${process.pid}.tmp`);
      const file = openSync(temporary, "w");
      try {
        try {
          writeAll(file, header);
          for (const name of names)
            scope(() => {
              const before = reader.read(name);
              const after = rewrite(name, before);
              if (after.shape.join() !== before.shape.join())
                throw new PerennialError("MERGE_SHAPE", `${name}: [${before.shape.join(", ")}] became [${after.shape.join(", ")}]`);
              writeTensor(file, after.detach().to(before.dtype));
            });
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(temporary, join(output, shard));
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    }
  } finally {
    reader.close();
  }
  for (const file of readdirSync(source)) if (carried.has(extname(file))) copyFileSync(join(source, file), join(output, file));
}

function shardsOf(folder: string): string[] {
  const index = join(folder, "model.safetensors.index.json");
  if (!existsSync(index)) return ["model.safetensors"];
  return [...new Set(Object.values((JSON.parse(readFileSync(index, "utf8")) as { weight_map: Record<string, string> }).weight_map))];
}

/** The header's bytes, which serve the copy as they are, and the tensors in the order of their data. */
function headerOf(path: string): { header: Buffer; names: string[] } {
  const file = openSync(path, "r");
  try {
    const length = Buffer.alloc(8);
    readSync(file, length, 0, 8, 0);
    const header = Buffer.alloc(8 + Number(length.readBigUInt64LE()));
    readSync(file, header, 0, header.length, 0);
    const { __metadata__: _, ...entries } = JSON.parse(header.subarray(8).toString("utf8")) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    const names = Object.keys(entries).sort(
      (a, b) => entries[a]!.data_offsets[0] - entries[b]!.data_offsets[0] || entries[a]!.data_offsets[1] - entries[b]!.data_offsets[1],
    );
    return { header, names };
  } finally {
    closeSync(file);
  }
}

function writeTensor(file: number, tensor: Tensor): void {
  const bytes = torch.view(tensor.cpu().contiguous().view([-1]), "uint8");
  for (let start = 0; start < bytes.numel; start += CHUNK_BYTES)
    scope(() => writeAll(file, bytes.slice(0, start, Math.min(start + CHUNK_BYTES, bytes.numel)).toTypedArray() as Uint8Array));
}

function writeAll(file: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written);
}
