import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A file that is either the old one or the new one, never half of it: bytes go to a temporary file beside it, which is flushed to the
 * disk and renamed. `close` puts it in place, `discard` (or a crash) leaves what was there.
 */
export class AtomicFile {
  readonly temporaryPath: string;
  sizeBytes = 0;
  private readonly path: string;
  private descriptor: number | undefined;

  constructor(path: string) {
    this.path = path;
    this.temporaryPath = `${path}.${process.pid}.tmp`;
    mkdirSync(dirname(path), { recursive: true });
    this.descriptor = openSync(this.temporaryPath, "w");
  }

  write(bytes: Uint8Array): void {
    if (this.descriptor === undefined) throw new Error(`${this.path}: written after it was closed`);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done, bytes.length - done);
    this.sizeBytes += bytes.length;
  }

  close(): void {
    if (this.descriptor === undefined) return;
    fsyncSync(this.descriptor);
    closeSync(this.descriptor);
    this.descriptor = undefined;
    renameSync(this.temporaryPath, this.path);
    syncFolder(dirname(this.path));
  }

  discard(): void {
    if (this.descriptor === undefined) return;
    closeSync(this.descriptor);
    this.descriptor = undefined;
    rmSync(this.temporaryPath, { force: true });
  }
}

export function writeFileAtomic(path: string, content: Uint8Array | string): void {
  const file = new AtomicFile(path);
  try {
    file.write(typeof content === "string" ? Buffer.from(content) : content);
    file.close();
  } catch (error) {
    file.discard();
    throw error;
  }
}

/** A rename is safe from a power cut once its folder is on the disk. Windows cannot open folders and needs no such flush. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
