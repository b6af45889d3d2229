/** What holds for the whole process: threads, determinism, the allocator, the library in use. */
import { begin, putWord, run } from "./call.ts";
import { type LibraryDescription, native } from "./native.ts";

/** Threads inside one operator; BLAS and OpenMP together. */
export function setNumThreads(count: number): void {
  begin();
  putWord(count);
  run(() => native.setNumThreads());
}

export const numThreads = (): number => native.numThreads();

/** Only deterministic kernels; operators that have none throw, or warn with `warnOnly`. */
export function setDeterministic(enabled: boolean, options: { warnOnly?: boolean } = {}): void {
  begin();
  putWord(enabled ? 1 : 0);
  putWord(options.warnOnly === true ? 1 : 0);
  native.setDeterministic();
}

/**
 * Keeps freed buffers in the process, so that a training step finds warm memory instead of new pages (glibc only).
 * `keepBytes`: give memory back only above this; `mapBytes`: buffers from this size on are mapped one by one.
 */
export function keepFreedMemory({ keepBytes = 2 ** 31 - 1, mapBytes = 2 ** 30 }: { keepBytes?: number; mapBytes?: number } = {}): void {
  begin();
  putWord(keepBytes);
  putWord(mapBytes);
  native.setAllocator();
}

/** Version, build, BLAS and devices of the libtorch in use. */
export const describeLibrary = (): LibraryDescription => native.describeLibrary();
