/** Element types, under PyTorch's names. */
export const dtypes = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "bool",
  "complex64",
  "complex128",
  "complex32",
  "uint16",
  "uint32",
  "uint64",
  "float8_e4m3fn",
  "float8_e5m2",
  "float8_e4m3fnuz",
  "float8_e5m2fnuz",
  "qint8",
  "quint8",
  "qint32",
] as const;

export type Dtype = (typeof dtypes)[number];

/** Where a tensor lives: `"cpu"`, `"cuda"`, `"cuda:1"`, `"meta"` … */
export type Device = "cpu" | "cuda" | `cuda:${number}` | "mps" | "meta" | (string & {});
export type Layout = "strided" | "sparse_coo" | "sparse_csr" | "sparse_csc" | "sparse_bsr" | "sparse_bsc";
export type MemoryFormat = "contiguous" | "preserve" | "channels_last" | "channels_last_3d";

/** A complex number as an operator's argument or result. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** A number that stays floating point though it is integral: `x.add(float(2))` on an int64 tensor gives floats. */
export class FloatScalar {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}
export const float = (value: number) => new FloatScalar(value);

/** What PyTorch calls a Scalar. An integral number counts as an integer, any other as floating point. */
export type Scalar = number | bigint | boolean | Complex | FloatScalar;

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

const bytesPerElement: Record<Dtype, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
  complex64: 8,
  complex128: 16,
  complex32: 4,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float8_e4m3fn: 1,
  float8_e5m2: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2fnuz: 1,
  qint8: 1,
  quint8: 1,
  qint32: 4,
};

/** Bytes of one element. */
export const itemSize = (dtype: Dtype): number => bytesPerElement[dtype];

export const isDtype = (name: string): name is Dtype => Object.hasOwn(bytesPerElement, name);
export const isFloatingPoint = (dtype: Dtype): boolean => dtype.startsWith("float") || dtype === "bfloat16";
export const isComplexDtype = (dtype: Dtype): boolean => dtype.startsWith("complex");

/** The dtype whose elements look like this typed array's. */
export function dtypeOfArray(array: TypedArray): Dtype {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof BigInt64Array) return "int64";
  if (array instanceof BigUint64Array) return "uint64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint32Array) return "uint32";
  if (array instanceof Int16Array) return "int16";
  if (array instanceof Uint16Array) return "uint16";
  if (array instanceof Int8Array) return "int8";
  return "uint8";
}

/**
 * An empty typed array that holds `length` elements of `dtype` bit for bit. Types without a counterpart in JavaScript
 * come as raw words: bfloat16 and float16 as Uint16Array, float8 as Uint8Array, complex as interleaved pairs.
 */
export function arrayFor(dtype: Dtype, length: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "complex64":
      return new Float32Array(2 * length);
    case "complex128":
      return new Float64Array(2 * length);
    case "int64":
      return new BigInt64Array(length);
    case "uint64":
      return new BigUint64Array(length);
    case "int32":
    case "qint32":
      return new Int32Array(length);
    case "uint32":
      return new Uint32Array(length);
    case "int16":
      return new Int16Array(length);
    case "uint16":
    case "bfloat16":
    case "float16":
      return new Uint16Array(length);
    case "complex32":
      return new Uint16Array(2 * length);
    case "int8":
    case "qint8":
      return new Int8Array(length);
    default:
      return new Uint8Array(length);
  }
}
