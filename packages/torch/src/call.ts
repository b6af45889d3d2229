/** Arguments and results through the command buffer; `native/addon.hpp` holds the other side. */
import { type Complex, FloatScalar } from "./dtype.ts";
import { TorchError } from "./errors.ts";
import { native } from "./native.ts";
import { Tensor } from "./tensor.ts";

const NONE = 0;
const DEFAULT = 1;
const TENSOR = 2;
const NUMBER = 3;
const BIGINT = 4;
const BOOL = 5;
const STRING = 6;
const COMPLEX = 7;
const FLOAT = 8;
const GENERATOR = 9;
const LIST = 10;
const NUMBERS = 11;
const TENSORS = 12;
const INT = 13;

let words = new Float64Array(native.buffer());
let bits = new BigInt64Array(words.buffer);
let at = 0;

function refresh(): void {
  const buffer = native.buffer();
  words = new Float64Array(buffer);
  bits = new BigInt64Array(buffer);
}

function room(count: number): void {
  if (words.length === 0) refresh();
  if (at + count <= words.length) return;
  native.reserve(at + count);
  refresh();
}

/** A source of random numbers with its own state. */
export class Generator {
  /** @internal */
  readonly handle: number;
  /** @internal */
  constructor(handle: number) {
    this.handle = handle;
    generatorFinalizer.register(this, handle);
  }
}
const generatorFinalizer = new FinalizationRegistry<number>((handle) => {
  room(0);
  words[0] = handle;
  native.releaseGenerator();
});

const stringIds = new Map<string, number>();
const strings: string[] = [];

export function intern(text: string): number {
  let id = stringIds.get(text);
  if (id === undefined) {
    id = native.intern(text);
    stringIds.set(text, id);
    strings[id] = text;
  }
  return id;
}

/** @internal The string behind an id that came from the addon. */
export function stringOf(id: number): string {
  strings[id] ??= native.stringOf(id);
  return strings[id];
}

/** Starts writing arguments at the beginning of the buffer. */
export function begin(): void {
  at = 0;
  room(64);
}

export function putWord(word: number): void {
  if (at >= words.length) room(64);
  words[at++] = word;
}

export function putBits(value: bigint): void {
  room(1);
  bits[at++] = BigInt.asIntN(64, value);
}

/** Appends one tagged value. `undefined` asks for the schema's default. */
export function put(value: unknown): void {
  if (at + 4 > words.length) room(64);
  switch (typeof value) {
    case "undefined":
      words[at++] = DEFAULT;
      return;
    case "number":
      words[at++] = NUMBER;
      words[at++] = value;
      return;
    case "boolean":
      words[at++] = BOOL;
      words[at++] = value ? 1 : 0;
      return;
    case "string":
      words[at++] = STRING;
      words[at++] = intern(value);
      return;
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value}n does not fit into 64 bits`);
      words[at++] = BIGINT;
      bits[at++] = value;
      return;
    case "object":
      putObject(value);
      return;
    default:
      throw new TypeError(`a ${typeof value} cannot be passed to libtorch`);
  }
}

function putObject(value: object | null): void {
  if (value === null) {
    words[at++] = NONE;
  } else if (value instanceof Tensor) {
    words[at++] = TENSOR;
    words[at++] = value.liveHandle;
  } else if (Array.isArray(value)) {
    putList(value);
  } else if (value instanceof FloatScalar) {
    words[at++] = FLOAT;
    words[at++] = value.value;
  } else if (value instanceof Generator) {
    words[at++] = GENERATOR;
    words[at++] = value.handle;
  } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    putList(Array.from(value as unknown as ArrayLike<number | bigint>));
  } else if (isComplex(value)) {
    words[at++] = COMPLEX;
    words[at++] = value.re;
    words[at++] = value.im;
  } else {
    throw new TypeError(`an object of class ${value.constructor?.name ?? "null"} cannot be passed to libtorch`);
  }
}

const isComplex = (value: object): value is Complex =>
  typeof (value as Partial<Complex>).re === "number" && typeof (value as Partial<Complex>).im === "number";

function putList(items: readonly unknown[]): void {
  const { length } = items;
  room(2 * length + 64);
  const start = at;
  words[at++] = NUMBERS;
  words[at++] = length;
  let i = 0;
  for (; i < length; i++) {
    const item = items[i];
    if (typeof item !== "number") break;
    words[at++] = item;
  }
  if (i === length) return;
  at = start;
  words[at++] = TENSORS;
  words[at++] = length;
  for (i = 0; i < length; i++) {
    const item = items[i];
    if (!(item instanceof Tensor)) break;
    words[at++] = item.liveHandle;
  }
  if (i === length) return;
  at = start;
  words[at++] = LIST;
  words[at++] = length;
  for (i = 0; i < length; i++) put(items[i] === undefined ? null : items[i]);
}

/** Appends a bare count and bare handles, −1 for null: what the autograd functions take. */
export function putHandles(tensors: readonly (Tensor | null | undefined)[]): void {
  room(tensors.length + 64);
  words[at++] = tensors.length;
  for (const tensor of tensors) words[at++] = tensor === null || tensor === undefined ? -1 : tensor.liveHandle;
}

/** @internal A second handle of the same tensor, as the result of a callback: the addon takes it over and frees it. */
export function handOver(tensor: Tensor): number {
  begin();
  putWord(tensor.liveHandle);
  native.alias();
  return words[1]!;
}

/** @internal Runs an addon function that may throw, and turns what it throws into a TorchError. */
export function run<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof Error && (error as { code?: unknown }).code === "TORCH" && !(error instanceof TorchError)) {
      throw new TorchError(error.message, undefined, { cause: error });
    }
    throw error;
  }
}

/** Calls the operator whose arguments were written after `beginCall`. Returns the number of results. */
export function invoke(): number {
  native.call();
  if (words.length === 0) refresh();
  const count = words[0]!;
  if (count < 0) {
    const message = native.lastError();
    throw new TorchError(message, message.slice(0, message.indexOf(": ")));
  }
  return count;
}

export function beginCall(operator: number, numArguments: number): void {
  if (words.length === 0) refresh();
  words[0] = operator;
  words[1] = numArguments;
  at = 2;
}

/** The results of `invoke`: a tensor, a value, an array of several, or undefined. */
export function results(count: number): unknown {
  if (count === 1 && words[1] === TENSOR) return new Tensor(words[2]!);
  at = 1;
  if (count === 1) return take();
  if (count === 0) return undefined;
  return Array.from({ length: count }, take);
}

/** @internal Starts reading results at a position. */
export function beginReading(position = 0): void {
  if (words.length === 0) refresh();
  at = position;
}

export const takeWord = (): number => words[at++]!;
export const takeBits = (): bigint => bits[at++]!;

/** Reads one tagged value. */
export function take(): unknown {
  const tag = words[at++];
  switch (tag) {
    case NONE:
      return null;
    case TENSOR:
      return new Tensor(words[at++]!);
    case NUMBER:
    case INT:
      return words[at++];
    case BOOL:
      return words[at++] !== 0;
    case BIGINT:
      return bits[at++];
    case STRING:
      return stringOf(words[at++]!);
    case COMPLEX:
      return { re: words[at++]!, im: words[at++]! };
    case GENERATOR:
      return new Generator(words[at++]!);
    case LIST: {
      const length = words[at++]!;
      return Array.from({ length }, take);
    }
    default:
      throw new Error(`unknown tag ${tag} in the command buffer`);
  }
}
