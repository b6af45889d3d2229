/** Tensors from JavaScript values. */
import { begin, beginReading, intern, putWord, run, take } from "./call.ts";
import { arrayFor, type Device, type Dtype, dtypeOfArray, isComplexDtype, isFloatingPoint, type TypedArray } from "./dtype.ts";
import { native } from "./native.ts";
import type { Tensor } from "./tensor.ts";
import { torch } from "./torch.ts";

export type Nested = number | bigint | boolean | readonly Nested[];

export interface TensorOptions {
  /** Default: what the data looks like; numbers become the default dtype, booleans bool, bigints int64. */
  dtype?: Dtype;
  device?: Device;
  requiresGrad?: boolean;
  /** For a typed array: the tensor's shape. Default: one dimension. */
  shape?: readonly number[];
}

let defaultDtype: Dtype = "float32";

/** The dtype of floating point tensors whose dtype is not given. */
export const getDefaultDtype = (): Dtype => defaultDtype;

/** Sets the dtype of floating point tensors whose dtype is not given; returns the one before. */
export function setDefaultDtype(dtype: Dtype): Dtype {
  begin();
  putWord(intern(dtype));
  run(() => native.setDefaultDtype());
  const previous = defaultDtype;
  defaultDtype = dtype;
  return previous;
}

/**
 * A tensor that holds a copy of `data`: a number, nested arrays of equal lengths, or a typed array.
 * Errors: ragged arrays, a shape that does not match the number of elements.
 */
export function tensor(data: Nested | TypedArray, options: TensorOptions = {}): Tensor {
  const { array, shape, dtype, target } = ArrayBuffer.isView(data)
    ? fromTyped(data as TypedArray, options)
    : fromNested(data as Nested, options);
  const made = fromBytes(array, dtype, shape, false);
  return finish(made, { ...options, dtype: options.dtype ?? target }, dtype);
}

/**
 * A tensor over the memory of a typed array: writing to one writes to the other. The array stays alive as long as the
 * tensor. `dtype` may reinterpret the bits, e.g. a Uint16Array as bfloat16.
 */
export function fromArray(array: TypedArray, options: { shape?: readonly number[]; dtype?: Dtype } = {}): Tensor {
  const dtype = options.dtype ?? dtypeOfArray(array);
  return fromBytes(array, dtype, options.shape ?? [isComplexDtype(dtype) ? array.length / 2 : array.length], true);
}

function fromBytes(array: TypedArray, dtype: Dtype, shape: readonly number[], share: boolean): Tensor {
  begin();
  putWord(intern(dtype));
  putWord(share ? 1 : 0);
  putWord(shape.length);
  for (const size of shape) putWord(size);
  run(() => native.fromBytes(array));
  beginReading();
  return take() as Tensor;
}

function finish(made: Tensor, options: TensorOptions, dtype: Dtype): Tensor {
  let result = made;
  if (options.dtype !== undefined && options.dtype !== dtype) result = torch._toCopy(result, { dtype: options.dtype });
  if (options.device !== undefined && options.device !== "cpu") result = torch._toCopy(result, { device: options.device });
  if (result !== made) made.dispose();
  if (options.requiresGrad === true) result.requiresGrad_();
  return result;
}

function fromTyped(array: TypedArray, options: TensorOptions) {
  const raw = options.dtype === "bfloat16" || options.dtype === "float16" ? array instanceof Uint16Array : false;
  const dtype = raw ? options.dtype! : dtypeOfArray(array);
  return { array, dtype, shape: options.shape ?? [array.length], target: dtype };
}

function fromNested(data: Nested, options: TensorOptions) {
  const shape: number[] = [];
  for (let level: Nested = data; Array.isArray(level); level = level[0] as Nested) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: (number | bigint | boolean)[] = [];
  flatten(data, shape, 0, flat, []);
  const first = flat[0];
  const wanted = options.dtype;
  const natural: Dtype =
    typeof first === "bigint" ? "int64" : typeof first === "boolean" ? "bool" : isFloatingPoint(defaultDtype) ? defaultDtype : "float32";
  const target = wanted ?? natural;
  // Integers go through 64 bits and floats through doubles where the target has no array of its own.
  const dtype: Dtype = direct.has(target) ? target : isFloatingPoint(target) || isComplexDtype(target) ? "float64" : "int64";
  const array = arrayFor(dtype, flat.length);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) for (let i = 0; i < flat.length; i++) array[i] = BigInt(flat[i]!);
  else for (let i = 0; i < flat.length; i++) array[i] = Number(flat[i]!);
  return { array, shape: options.shape ?? shape, dtype, target };
}

const direct = new Set<Dtype>(["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "uint16", "uint32", "uint64"]);

function flatten(data: Nested, shape: readonly number[], depth: number, flat: (number | bigint | boolean)[], path: number[]): void {
  if (!Array.isArray(data)) {
    if (depth !== shape.length)
      throw new TypeError(`tensor: expected an array of length ${shape[depth]} at [${path.join("][")}], received ${String(data)}`);
    flat.push(data as number | bigint | boolean);
    return;
  }
  if (depth >= shape.length || data.length !== shape[depth]) {
    throw new TypeError(
      `tensor: expected ${depth >= shape.length ? "a number" : `length ${shape[depth]}`} at [${path.join("][")}], received an array of length ${data.length}`,
    );
  }
  for (let i = 0; i < data.length; i++) flatten(data[i] as Nested, shape, depth + 1, flat, [...path, i]);
}
