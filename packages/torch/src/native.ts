import { loadNative } from "./install/index.ts";

/** What the addon exports. Functions without parameters take theirs from the command buffer; see `native/addon.hpp`. */
export interface Native {
  buffer(): ArrayBuffer;
  reserve(words: number): void;
  intern(text: string): number;
  stringOf(id: number): string;
  lastError(): string;
  call(): void;
  operatorIndex(name: string, overload: string): number;
  overloads(name: string): string[];
  schemas(): string[];
  fromBytes(data: ArrayBufferView | ArrayBuffer): void;
  copyInto(data: ArrayBufferView): void;
  readAsync(): Promise<ArrayBuffer>;
  info(): void;
  item(): void;
  release(): void;
  alias(): void;
  same(): boolean;
  live(): void;
  reportMemory(): void;
  backward(): void;
  grad(): void;
  setRequiresGrad(): void;
  gradientOf(): void;
  setGradient(): void;
  setGradEnabled(): boolean;
  isGradEnabled(): boolean;
  enterInferenceMode(): void;
  leaveInferenceMode(): void;
  registerHook(hook: (handles: number[]) => number[] | undefined): void;
  customFunction(backward: (handles: number[]) => number[]): void;
  autocastState(): void;
  setAutocast(): void;
  restoreAutocast(): void;
  describeLibrary(): LibraryDescription;
  setNumThreads(): void;
  numThreads(): number;
  setDeterministic(): void;
  deterministic(): 0 | 1 | 2;
  setDefaultDtype(): void;
  manualSeed(): void;
  defaultGenerator(): void;
  createGenerator(): void;
  generatorState(): void;
  setGeneratorState(): void;
  seedGenerator(): void;
  releaseGenerator(): void;
  setAllocator(): void;
  connectGroup(): Promise<number>;
  destroyGroup(): void;
  backendExists(): boolean;
  /** A promise of a handle when the call is asynchronous. */
  collective(): Promise<number> | undefined;
  createReducer(): number;
  beginReduction(): void;
  finishReduction(): void;
  releaseReducer(): void;
  cudaStatus(): CudaStatus;
  cudaProperties(): CudaProperties;
  currentDevice(): number;
  setDevice(): void;
  synchronizeDevice(): void;
  currentStream(): void;
  newStream(): void;
  exchangeStream(): void;
  queryStream(): boolean;
  synchronizeStream(): void;
  recordStream(): void;
  createEvent(): number;
  recordEvent(): void;
  awaitEvent(): void;
  queryEvent(): boolean;
  synchronizeEvent(): void;
  elapsedTime(): number;
  releaseEvent(): void;
  allocatorStats(): AllocatorStats;
  resetPeakStats(): void;
  emptyCache(): void;
  beginCapture(): number;
  endCapture(): void;
  abandonCapture(): void;
  replayGraph(): void;
  releaseGraph(): void;
  writeFile(path: string, header: Uint8Array): Promise<FileSummary>;
  checksumFile(path: string): Promise<FileSummary>;
  readRange(descriptor: number): void;
  mapRange(descriptor: number): void;
}

/** A file's size and CRC-32C. */
export interface FileSummary {
  readonly bytes: number;
  readonly crc32c: number;
}

/** Whether CUDA can be used. */
export interface CudaStatus {
  /** Why it cannot; empty when it can. */
  readonly obstacle: string;
  readonly devices: number;
}

/** What the driver says about a device. */
export interface CudaProperties {
  readonly name: string;
  /** Compute capability `major.minor`. */
  readonly major: number;
  readonly minor: number;
  readonly multiprocessors: number;
  readonly totalBytes: number;
}

/** The caching allocator of a device; peaks are since the start or the last `resetPeakMemory`. */
export interface AllocatorStats {
  /** Of tensors that live. */
  readonly allocatedBytes: number;
  readonly peakAllocatedBytes: number;
  /** Taken from the device, tensors and cache. */
  readonly reservedBytes: number;
  readonly peakReservedBytes: number;
  /** Of tensors that live, or were freed while a stream still uses them. */
  readonly activeBytes: number;
  readonly peakActiveBytes: number;
  readonly allocations: number;
  readonly peakAllocations: number;
  /** How often the cache was emptied because the device was full, and how often even that did not help. */
  readonly retries: number;
  readonly outOfMemory: number;
  /** Of the whole device, other processes included. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** How the libtorch in use was built. */
export interface LibraryDescription {
  readonly version: string;
  readonly config: string;
  readonly cpuCapability: string;
  readonly parallel: string;
  readonly hasMkl: number;
  readonly hasOneDnn: number;
  readonly hasCuda: number;
  readonly cudaDevices: number;
}

export const native = loadNative() as Native;
