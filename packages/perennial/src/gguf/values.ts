/** The types of metadata values in a GGUF file, by their numbers. */

export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | BigUint64Array
  | BigInt64Array
  | Float64Array;

/** 64-bit integers are numbers where a number holds them exactly. */
export type MetadataValue = string | number | bigint | boolean | readonly string[] | readonly boolean[] | NumberArray;
export type Metadata = ReadonlyMap<string, MetadataValue>;

export const STRING = 8;
export const BOOL = 7;
export const ARRAY = 9;

type NumberArrayConstructor = { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBufferLike): NumberArray };

/** Numeric types: what holds an array of them. */
export const numberArrays: ReadonlyMap<number, NumberArrayConstructor> = new Map<number, NumberArrayConstructor>([
  [0, Uint8Array],
  [1, Int8Array],
  [2, Uint16Array],
  [3, Int16Array],
  [4, Uint32Array],
  [5, Int32Array],
  [6, Float32Array],
  [10, BigUint64Array],
  [11, BigInt64Array],
  [12, Float64Array],
]);

export const FLOAT32 = 6;
export const UINT32 = 4;
