/** A safetensors file written piece by piece: what is held is the header and one piece. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { type Dtype, itemSize } from "../dtype.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { formatHeader, SafetensorsError } from "./header.ts";

export interface WrittenEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Bytes copied at a time. */
const PIECE_BYTES = 1 << 24;

/**
 * The values of `entries` are appended in their order. The file grows under its own name: it belongs into a folder that is
 * renamed as a whole. Errors: values too few or too many; those of the disk.
 */
export class SafetensorsWriter {
  private readonly path: string;
  private readonly entries: readonly WrittenEntry[];
  private file: number | undefined;
  private index = 0;
  /** Values that the entry at `index` has by now. */
  private filled = 0;

  constructor(path: string, entries: readonly WrittenEntry[], metadata: Readonly<Record<string, string>> = {}) {
    this.path = path;
    this.entries = entries;
    const { bytes } = formatHeader(entries, metadata);
    this.file = openSync(path, "w");
    try {
      this.writeAll(bytes);
    } catch (error) {
      this.discard();
      throw error;
    }
    this.skipFilled();
  }

  /** The next values of the entry that is not full yet, converted to its dtype. */
  append(values: Tensor): void {
    const entry = this.entries[this.index];
    if (entry === undefined || this.filled + values.numel > sizeOf(entry))
      throw new SafetensorsError(this.path, `there are more values than tensor "${entry?.name ?? this.entries.at(-1)?.name}" has room for`);
    const step = PIECE_BYTES / itemSize(entry.dtype);
    for (let start = 0; start < values.numel; start += step)
      scope(() => {
        const piece = values
          .detach()
          .reshape([-1])
          .slice(0, start, Math.min(start + step, values.numel));
        this.writeAll(torch.view(piece.to({ dtype: entry.dtype, device: "cpu" }).contiguous(), "uint8").toTypedArray() as Uint8Array);
      });
    this.filled += values.numel;
    this.skipFilled();
  }

  /** The file is whole and on the disk. */
  close(): void {
    const entry = this.entries[this.index];
    if (entry !== undefined) throw new SafetensorsError(this.path, `tensor "${entry.name}" has ${this.filled} of ${sizeOf(entry)} values`);
    if (this.file === undefined) return;
    fsyncSync(this.file);
    closeSync(this.file);
    this.file = undefined;
  }

  /** Closes and deletes what is there, unless the file is whole already. */
  discard(): void {
    if (this.file === undefined) return;
    closeSync(this.file);
    this.file = undefined;
    rmSync(this.path, { force: true });
  }

  private skipFilled(): void {
    while (this.index < this.entries.length && this.filled === sizeOf(this.entries[this.index]!)) {
      this.index++;
      this.filled = 0;
    }
  }

  private writeAll(bytes: Uint8Array): void {
    if (this.file === undefined) throw new SafetensorsError(this.path, "the file was closed before it was written");
    for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done, bytes.length - done);
  }
}

const sizeOf = ({ shape }: WrittenEntry): number => shape.reduce((product, size) => product * size, 1);
