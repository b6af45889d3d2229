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

/**
 * Only deterministic kernels, for the whole process; operators that have none throw, or warn on standard error with `warnOnly`.
 * Memory that nobody wrote (`torch.empty`) is then filled with NaN or the largest integer, so that it cannot differ from run to run.
 */
export function setDeterministic(enabled: boolean, options: { warnOnly?: boolean } = {}): void {
  begin();
  putWord(enabled ? 1 : 0);
  putWord(options.warnOnly === true ? 1 : 0);
  native.setDeterministic();
}

/** What libtorch does where an operator has no deterministic kernel. */
export const determinism = (): "off" | "warns" | "throws" => (["off", "warns", "throws"] as const)[native.deterministic()];

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
