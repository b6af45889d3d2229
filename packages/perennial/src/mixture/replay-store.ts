/**
 * Records of one size on the disk, in slots: slot i stands in file ⌊i / F⌋ at byte (i mod F) · recordBytes, F records to a file of about
 * 64 MiB. What a slot held before it was overwritten goes to an undo log first, so that any of the last few marks can be gone back to, also
 * after the process was killed: the log of the time since mark m is `undo-m.bin`, entries (slot, record), written before the slot is.
 * In memory: nothing but descriptors.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { PerennialError } from "../errors.ts";

const FILE_BYTES = 64 * 2 ** 20;
/** Slot number of an undo entry, a float64. */
const ENTRY_HEAD_BYTES = 8;

export class ReplayStore {
  readonly recordBytes: number;
  private readonly folder: string;
  private readonly keepMarks: number;
  private readonly recordsPerFile: number;
  private readonly files = new Map<number, number>();
  private readonly unsynced = new Set<number>();
  private undo: number | undefined;
  private interval = 0;
  private readsOnTheWay = 0;
  private closing = false;

  constructor(folder: string, { recordBytes, keepMarks }: { readonly recordBytes: number; readonly keepMarks: number }) {
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    this.recordBytes = recordBytes;
    this.keepMarks = keepMarks;
    this.recordsPerFile = Math.max(1, Math.floor(FILE_BYTES / recordBytes));
  }

  /** Fills a slot; `held`: whether it held a record before. */
  write(slot: number, record: Uint8Array, held: boolean): void {
    const { descriptor, position } = this.place(slot);
    if (held) {
      const entry = Buffer.alloc(ENTRY_HEAD_BYTES + this.recordBytes);
      entry.writeDoubleLE(slot);
      readSync(descriptor, entry, ENTRY_HEAD_BYTES, this.recordBytes, position);
      this.undo ??= openSync(this.undoPath(this.interval), "a");
      writeSync(this.undo, entry);
    }
    if (writeSync(descriptor, record, 0, record.length, position) !== record.length)
      throw new PerennialError("REPLAY_DISK", `${this.folder}: the disk took only a part of a record; is it full?`);
    this.unsynced.add(descriptor);
  }

  read(slot: number, record: Uint8Array): void {
    const { descriptor, position } = this.place(slot);
    if (readSync(descriptor, record, 0, record.length, position) !== record.length) throw this.short(slot);
  }

  /** The same without waiting; `done` is not called when the read fails, so that the caller reads again and gets the error. */
  readSoon(slot: number, record: Uint8Array, done: () => void): void {
    const { descriptor, position } = this.place(slot);
    this.readsOnTheWay++;
    read(descriptor, record, 0, record.length, position, (error, bytes) => {
      this.readsOnTheWay--;
      if (error === null && bytes === record.length) done();
      if (this.closing && this.readsOnTheWay === 0) this.close();
    });
  }

  /** A moment that can be gone back to, for as long as no more than `keepMarks` have followed. What was written is on the disk. */
  mark(): number {
    for (const descriptor of this.unsynced) fdatasyncSync(descriptor);
    this.unsynced.clear();
    this.endUndo();
    this.interval++;
    const floor = this.interval - this.keepMarks;
    if (floor > 0) writeFileSync(this.floorPath(), String(floor));
    for (const mark of this.undoMarks()) if (mark < floor) rmSync(this.undoPath(mark));
    return this.interval;
  }

  /** Everything as it was at the mark; the marks after it never were. */
  goBack(mark: number): void {
    this.endUndo();
    const floor = existsSync(this.floorPath()) ? Number(readFileSync(this.floorPath(), "utf8")) : 0;
    if (mark < floor)
      throw new PerennialError(
        "REPLAY_STATE",
        `${this.folder}: the replay buffer can go back to the last ${this.keepMarks} checkpoints only; start the run over.`,
      );
    for (const later of this.undoMarks().reverse()) {
      if (later < mark) break;
      this.playBack(this.undoPath(later));
      rmSync(this.undoPath(later));
    }
    this.interval = mark;
  }

  close(): void {
    this.closing = true;
    if (this.readsOnTheWay > 0) return;
    this.endUndo();
    for (const descriptor of this.files.values()) closeSync(descriptor);
    this.files.clear();
  }

  /** Newest entry first. One that was cut short by a kill belongs to a slot that was not overwritten. */
  private playBack(path: string): void {
    const log = openSync(path, "r");
    const bytes = ENTRY_HEAD_BYTES + this.recordBytes;
    const entry = Buffer.alloc(bytes);
    for (let i = Math.floor(fstatSync(log).size / bytes) - 1; i >= 0; i--) {
      readSync(log, entry, 0, bytes, i * bytes);
      const { descriptor, position } = this.place(entry.readDoubleLE());
      writeSync(descriptor, entry, ENTRY_HEAD_BYTES, this.recordBytes, position);
    }
    closeSync(log);
  }

  private endUndo(): void {
    if (this.undo === undefined) return;
    fdatasyncSync(this.undo);
    closeSync(this.undo);
    this.undo = undefined;
  }

  private place(slot: number): { descriptor: number; position: number } {
    const number = Math.floor(slot / this.recordsPerFile);
    let descriptor = this.files.get(number);
    if (descriptor === undefined) {
      const path = join(this.folder, `records-${String(number).padStart(6, "0")}.bin`);
      descriptor = openSync(path, existsSync(path) ? "r+" : "w+");
      this.files.set(number, descriptor);
    }
    return { descriptor, position: (slot % this.recordsPerFile) * this.recordBytes };
  }

  private undoMarks(): number[] {
    return readdirSync(this.folder)
      .flatMap((name) => Number(/^undo-(\d+)\.bin$/.exec(name)?.[1] ?? Number.NaN))
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
  }

  /** Holds the oldest mark that the log still leads back to. */
  private floorPath(): string {
    return join(this.folder, "undo-floor");
  }

  private undoPath(mark: number): string {
    return join(this.folder, `undo-${mark}.bin`);
  }

  private short(slot: number): PerennialError {
    return new PerennialError("REPLAY_STATE", `${this.folder}: record ${slot} of the replay buffer is missing; start the run over.`);
  }
}
