import { closeSync, openSync, readSync } from "node:fs";
import { PerennialError } from "../errors.ts";

const MAX_OPEN_FILES = 64;

/** Reads ranges of many files and keeps the most recently used ones open. */
export class FilePool {
  private readonly open = new Map<string, number>();

  /** Fills `target` from byte `position` on. */
  read(path: string, target: Uint8Array, position: number): void {
    const descriptor = this.descriptor(path);
    for (let done = 0; done < target.length; ) {
      const bytes = readSync(descriptor, target, done, target.length - done, position + done);
      if (bytes === 0) throw new PerennialError("SHARDS_UNREADABLE", `${path}: ends at byte ${position + done}, more was expected.`);
      done += bytes;
    }
  }

  close(): void {
    for (const descriptor of this.open.values()) closeSync(descriptor);
    this.open.clear();
  }

  private descriptor(path: string): number {
    let descriptor = this.open.get(path);
    if (descriptor !== undefined) {
      if (this.open.size > 1) this.touch(path, descriptor);
      return descriptor;
    }
    if (this.open.size >= MAX_OPEN_FILES) {
      const [oldest, oldestDescriptor] = this.open.entries().next().value!;
      closeSync(oldestDescriptor);
      this.open.delete(oldest);
    }
    descriptor = openSync(path, "r");
    this.open.set(path, descriptor);
    return descriptor;
  }

  /** A Map keeps the order of insertion: its first entry is the one unused for longest. */
  private touch(path: string, descriptor: number): void {
    this.open.delete(path);
    this.open.set(path, descriptor);
  }
}

const PAGE_ENTRIES = 4096;
const MAX_PAGES = 64;

/** A file of little-endian 32-bit numbers, read in pages of 16 KiB of which the last used 64 are kept. */
export class PagedUint32 {
  readonly length: number;
  private readonly pool: FilePool;
  private readonly path: string;
  private readonly pages = new Map<number, Uint32Array>();

  constructor(pool: FilePool, path: string, length: number) {
    this.pool = pool;
    this.path = path;
    this.length = length;
  }

  at(index: number): number {
    return this.page(Math.floor(index / PAGE_ENTRIES))[index % PAGE_ENTRIES]!;
  }

  /** The first index whose value is greater than `value`, in an ascending file. */
  firstAbove(value: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) > value) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private page(number: number): Uint32Array {
    let page = this.pages.get(number);
    if (page !== undefined) return page;
    if (this.pages.size >= MAX_PAGES) this.pages.delete(this.pages.keys().next().value!);
    page = new Uint32Array(Math.min(PAGE_ENTRIES, this.length - number * PAGE_ENTRIES));
    this.pool.read(this.path, new Uint8Array(page.buffer), number * PAGE_ENTRIES * 4);
    this.pages.set(number, page);
    return page;
  }
}
