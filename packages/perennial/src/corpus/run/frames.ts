/**
 * Lines in zstd files that survive a kill. At a checkpoint every file gets its lines since the last one as a zstd frame of its own, is
 * flushed to the disk, and the journal is replaced: how many items are behind, the state of the step, and the length of every file. After
 * a kill files are cut to the lengths in the journal and the items behind are passed over; since checkpoints come after fixed numbers of
 * items, the files end up the same, byte for byte, as without a kill. Files have their names only once all are whole.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { partial, readJson, syncFolder, writeJson } from "../durable.ts";
import { type Compress, zstdCompressor } from "../formats/zstd.ts";

interface Journal<State> {
  readonly items: number;
  readonly state: State;
  readonly bytes: Readonly<Record<string, number>>;
  readonly finished: boolean;
}

interface OpenFile {
  readonly descriptor: number;
  length: number;
  lines: string[];
}

export class FrameWriter<State> {
  /** Items that an earlier attempt has brought to the disk, and its state then. */
  readonly items: number;
  readonly state: State;
  /** All files were whole already; only `finish` is left to do. */
  readonly finished: boolean;
  private readonly journal: string;
  private readonly compress: Compress;
  private readonly lengths: Map<string, number>;
  private readonly files = new Map<string, OpenFile>();

  private constructor(journal: string, compress: Compress, found: Journal<State> | undefined, initial: State) {
    this.journal = journal;
    this.compress = compress;
    this.items = found?.items ?? 0;
    this.state = found?.state ?? initial;
    this.finished = found?.finished ?? false;
    this.lengths = new Map(Object.entries(found?.bytes ?? {}));
  }

  static async open<State>(journal: string, initial: State): Promise<FrameWriter<State>> {
    return new FrameWriter(journal, await zstdCompressor(), readJson<Journal<State>>(journal), initial);
  }

  /** Adds a line to the file at `path`. */
  write(path: string, value: unknown): void {
    this.fileAt(path).lines.push(JSON.stringify(value), "\n");
  }

  /** Makes sure that a file is there, even when nothing is written to it. */
  touch(path: string): void {
    this.fileAt(path);
  }

  checkpoint(items: number, finished = false): void {
    for (const [path, file] of this.files) {
      if (file.lines.length > 0) {
        const frame = this.compress(Buffer.from(file.lines.join("")));
        file.lines = [];
        for (let done = 0; done < frame.length; ) done += writeSync(file.descriptor, frame, done, frame.length - done, file.length + done);
        file.length += frame.length;
        fsyncSync(file.descriptor);
      }
      this.lengths.set(path, file.length);
    }
    writeJson(this.journal, { items, state: this.state, bytes: Object.fromEntries(this.lengths), finished } satisfies Journal<State>);
  }

  /** Gives the files their names and returns their lengths. The journal stays until `forget`, so that a kill in between is no loss. */
  finish(items: number): Record<string, number> {
    if (!this.finished) this.checkpoint(items, true);
    this.close();
    for (const path of this.lengths.keys()) {
      if (existsSync(partial(path))) renameSync(partial(path), path);
      syncFolder(dirname(path));
    }
    return Object.fromEntries(this.lengths);
  }

  forget(): void {
    rmSync(this.journal, { force: true });
  }

  close(): void {
    for (const { descriptor } of this.files.values()) closeSync(descriptor);
    this.files.clear();
  }

  private fileAt(path: string): OpenFile {
    let file = this.files.get(path);
    if (!file) {
      mkdirSync(dirname(path), { recursive: true });
      const length = this.lengths.get(path) ?? 0;
      const descriptor = openSync(partial(path), length > 0 ? "r+" : "w");
      ftruncateSync(descriptor, length);
      file = { descriptor, length, lines: [] };
      this.files.set(path, file);
    }
    return file;
  }
}
