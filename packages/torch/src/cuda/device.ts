/** CUDA devices: which there are, which one is current, and waiting for it. */
import { begin, putWord, run } from "../call.ts";
import { type CudaProperties, type CudaStatus, native } from "../native.ts";

export type { CudaProperties } from "../native.ts";

let status: CudaStatus | undefined;

function known(): CudaStatus {
  status ??= native.cudaStatus();
  return status;
}

/** Whether tensors can live on a CUDA device here. */
export const isAvailable = (): boolean => known().obstacle === "";

/** Why there is no CUDA, in one sentence; undefined when there is. */
export const unavailableBecause = (): string | undefined => known().obstacle || undefined;

export const deviceCount = (): number => known().devices;

/** @internal Writes a device's index, −1 for the current one, as the addon reads it. */
export function withIndex<T>(index: number | undefined, body: () => T): T {
  begin();
  putWord(index ?? -1);
  return run(body);
}

/** Name, compute capability and memory of a device; default: the current one. */
export const deviceProperties = (index?: number): CudaProperties => withIndex(index, () => native.cudaProperties());

/** The index of the device that "cuda" means. */
export const currentDevice = (): number => run(() => native.currentDevice());

/** Makes `"cuda"` mean this device from now on. */
export const setDevice = (index: number): void => withIndex(index, () => native.setDevice());

/** Runs `body` while "cuda" means the device of that index. */
export function withDevice<T>(index: number, body: () => T): T {
  const before = currentDevice();
  setDevice(index);
  try {
    return body();
  } finally {
    setDevice(before);
  }
}

/** Waits until the device has done everything that was asked of it; for measurements, not for correctness. */
export const synchronize = (index?: number): void => withIndex(index, () => native.synchronizeDevice());
