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
  setAutocast(): void;
  restoreAutocast(): void;
  describeLibrary(): LibraryDescription;
  setNumThreads(): void;
  numThreads(): number;
  setDeterministic(): void;
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
  writeFile(path: string, header: Uint8Array): Promise<FileSummary>;
  checksumFile(path: string): Promise<FileSummary>;
}

/** A file's size and CRC-32C. */
export interface FileSummary {
  readonly bytes: number;
  readonly crc32c: number;
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
