/**
 * Zstandard frames, at the level that all our files have. Node's own where it has one (from 22.15 on), else WebAssembly; the same level, so that
 * only the version of zstd may differ.
 */
import * as zlib from "node:zlib";

export type Compress = (bytes: Uint8Array) => Uint8Array;

const LEVEL = 3;

export async function zstdCompressor(): Promise<Compress> {
  return (zlib as { zstdCompressSync?: Compress }).zstdCompressSync ?? (await zstdWasm());
}

/** The same bytes everywhere, for what is computed from their number. */
export async function zstdWasm(): Promise<Compress> {
  const { Zstd } = await import("@hpcc-js/wasm-zstd");
  const wasm = await Zstd.load();
  copyOutDirectly(wasm);
  return (bytes) => wasm.compress(bytes, LEVEL);
}

/** The package copies every result number by number through an array, which takes longer than compressing. */
function copyOutDirectly(wasm: object): void {
  const { _mainModule: heap } = wasm as {
    _mainModule?: { heapView?(place: unknown): Uint8Array; heapToUint8Array?(place: unknown): Uint8Array };
  };
  if (heap?.heapView && heap.heapToUint8Array) heap.heapToUint8Array = (place) => heap.heapView!(place).slice();
}
