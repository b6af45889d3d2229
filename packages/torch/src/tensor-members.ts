/** Hand-written members of Tensor: metadata, data out, conversion, gradients. Importing this module installs them. */
import { begin, beginReading, handOver, putHandles, putWord, run, stringOf, take, takeWord } from "./call.ts";
import { arrayFor, type Complex, type Device, type Dtype, isDtype, type Layout, type MemoryFormat, type TypedArray } from "./dtype.ts";
import { formatTensor } from "./format.ts";
import { assign, at, type Index } from "./indexing.ts";
import { native } from "./native.ts";
import { isTensor, scope } from "./scope.ts";
import { Tensor } from "./tensor.ts";
import { torch } from "./torch.ts";

export interface Conversion {
  dtype?: Dtype;
  device?: Device;
  nonBlocking?: boolean;
  /** Copy even when nothing changes. */
  copy?: boolean;
  memoryFormat?: MemoryFormat;
}

declare module "./tensor.ts" {
  interface Tensor {
    readonly shape: number[];
    readonly strides: number[];
    readonly dtype: Dtype;
    readonly device: Device;
    /** How the elements lie in memory: "strided", or one of the sparse layouts. */
    readonly layout: Layout;
    /** Number of dimensions. */
    readonly ndim: number;
    /** Number of elements. */
    readonly numel: number;
    /** Bytes of the elements. */
    readonly nbytes: number;
    readonly storageOffset: number;
    readonly isLeaf: boolean;
    readonly requiresGrad: boolean;
    /** The accumulated gradient, or null. Assigning replaces it. */
    grad: Tensor | null;
    /** Length of one dimension; negative counts from the end. */
    size(dim: number): number;
    isContiguous(): boolean;
    /** Asks for gradients of this leaf. Returns the tensor. */
    requiresGrad_(requiresGrad?: boolean): this;
    /** The value of a tensor of one element. Waits for the device: the only hidden synchronization there is. */
    item(): number;
    /** As `item`, for values that are not plain numbers. */
    itemOf(): number | bigint | boolean | Complex;
    /** A copy of the elements, row by row, bit for bit; bfloat16 and float16 as raw Uint16Array. Waits for the device. */
    toTypedArray(): TypedArray;
    /** The elements as 32-bit floats, whatever the dtype. */
    toFloat32Array(): Float32Array;
    /** Nested arrays of numbers (bigint for int64 beyond 2^53, boolean for bool). */
    toArray(): unknown;
    /** As `toTypedArray`, without blocking JavaScript while the device works. */
    read(): Promise<TypedArray>;
    /** Another dtype, device or both; the tensor itself when nothing changes. */
    to(target: Dtype | Device | Tensor | Conversion): Tensor;
    cpu(): Tensor;
    cuda(index?: number): Tensor;
    float(): Tensor;
    double(): Tensor;
    half(): Tensor;
    bfloat16(): Tensor;
    int(): Tensor;
    long(): Tensor;
    /** Gradients of this scalar (or, with `gradient`, of Σ gradient · this) are added to the leaves. */
    backward(options?: { gradient?: Tensor; retainGraph?: boolean; createGraph?: boolean; inputs?: readonly Tensor[] }): void;
    /** Calls `hook` with the gradient during backward; what it returns replaces the gradient. */
    registerHook(hook: (gradient: Tensor) => Tensor | undefined): void;
    /** Calls `hook` when this leaf's gradient has been added up. */
    registerPostAccumulateGradHook(hook: (leaf: Tensor) => void): void;
    /**
     * Indexing as in `x[0, :, 1:3, mask]`: a number picks, `[start, end, step?]` slices, ":" takes all, "..." fills up,
     * null adds a dimension, a tensor gathers (int64) or masks (bool).
     */
    at(...index: Index[]): Tensor;
    /** Writes `value` at an index, in place. Returns the tensor. */
    assign(index: readonly Index[], value: Tensor | number | boolean): this;
    /** Same shape, dtype and elements. */
    equal(other: Tensor): boolean;
    /** |a − b| ≤ absolute + relative · |b| everywhere. */
    isClose(other: Tensor, options?: { relative?: number; absolute?: number; equalNan?: boolean }): boolean;
    toString(): string;
    /** The same as `dispose`, for `using`. */
    [Symbol.dispose](): void;
  }
}

interface Info {
  dtype: Dtype;
  device: Device;
  layout: Layout;
  requiresGrad: boolean;
  isLeaf: boolean;
  storageOffset: number;
  contiguous: boolean;
  nbytes: number;
  shape: number[];
  strides: number[];
}

function info(tensor: Tensor): Info {
  begin();
  putWord(tensor.liveHandle);
  run(() => native.info());
  beginReading();
  const dtype = stringOf(takeWord()) as Dtype;
  const device = stringOf(takeWord());
  const layout = stringOf(takeWord()) as Layout;
  const [requiresGrad, isLeaf, storageOffset, contiguous, nbytes, ndim] = [
    takeWord(),
    takeWord(),
    takeWord(),
    takeWord(),
    takeWord(),
    takeWord(),
  ];
  const shape = Array.from({ length: ndim }, takeWord);
  const strides = Array.from({ length: ndim }, takeWord);
  return {
    dtype,
    device,
    layout,
    requiresGrad: requiresGrad !== 0,
    isLeaf: isLeaf !== 0,
    storageOffset,
    contiguous: contiguous !== 0,
    nbytes,
    shape,
    strides,
  };
}

const getters: { [name: string]: (this: Tensor) => unknown } = {
  shape() {
    return info(this).shape;
  },
  strides() {
    return info(this).strides;
  },
  dtype() {
    return info(this).dtype;
  },
  device() {
    return info(this).device;
  },
  layout() {
    return info(this).layout;
  },
  ndim() {
    return info(this).shape.length;
  },
  numel() {
    return info(this).shape.reduce((product, size) => product * size, 1);
  },
  nbytes() {
    return info(this).nbytes;
  },
  storageOffset() {
    return info(this).storageOffset;
  },
  isLeaf() {
    return info(this).isLeaf;
  },
  requiresGrad() {
    return info(this).requiresGrad;
  },
};
for (const [name, get] of Object.entries(getters)) Object.defineProperty(Tensor.prototype, name, { get, configurable: true });

Object.defineProperty(Tensor.prototype, "grad", {
  get(this: Tensor): Tensor | null {
    begin();
    putWord(this.liveHandle);
    run(() => native.gradientOf());
    beginReading();
    return take() as Tensor | null;
  },
  set(this: Tensor, gradient: Tensor | null) {
    begin();
    putWord(this.liveHandle);
    putWord(gradient === null ? -1 : gradient.liveHandle);
    run(() => native.setGradient());
  },
  configurable: true,
});

const methods: Partial<Tensor> & ThisType<Tensor> = {
  size(dim: number) {
    const { shape } = this;
    const size = shape[dim < 0 ? dim + shape.length : dim];
    if (size === undefined) throw new RangeError(`size: dimension ${dim} of a tensor of shape [${shape.join(", ")}]`);
    return size;
  },
  isContiguous() {
    return info(this).contiguous;
  },
  requiresGrad_(requiresGrad = true) {
    begin();
    putWord(this.liveHandle);
    putWord(requiresGrad ? 1 : 0);
    run(() => native.setRequiresGrad());
    return this;
  },
  item() {
    return Number(this.itemOf());
  },
  itemOf() {
    begin();
    putWord(this.liveHandle);
    run(() => native.item());
    beginReading();
    return take() as number | bigint | boolean | Complex;
  },
  toTypedArray() {
    const { dtype, shape } = info(this);
    const array = arrayFor(
      dtype,
      shape.reduce((product, size) => product * size, 1),
    );
    begin();
    putWord(this.liveHandle);
    run(() => native.copyInto(array));
    return array;
  },
  toFloat32Array() {
    const { dtype } = this;
    if (dtype === "float32") return this.toTypedArray() as Float32Array;
    const converted = this.detach().to("float32");
    const array = converted.toTypedArray() as Float32Array;
    converted.dispose();
    return array;
  },
  toArray() {
    const { dtype, shape } = info(this);
    const flat = elements(this, dtype);
    let position = 0;
    const nest = (depth: number): unknown =>
      depth === shape.length ? flat[position++] : Array.from({ length: shape[depth]! }, () => nest(depth + 1));
    return nest(0);
  },
  async read() {
    const { dtype } = info(this);
    begin();
    putWord(this.liveHandle);
    const bytes = await run(() => native.readAsync());
    const empty = arrayFor(dtype, 0);
    return new (empty.constructor as new (buffer: ArrayBuffer) => TypedArray)(bytes);
  },
  to(target) {
    if (isTensor(target)) return convert(this, { dtype: target.dtype, device: target.device });
    if (typeof target === "string") return convert(this, isDtype(target) ? { dtype: target } : { device: target });
    return convert(this, target);
  },
  cpu() {
    return convert(this, { device: "cpu" });
  },
  cuda(index) {
    return convert(this, { device: index === undefined ? "cuda" : `cuda:${index}` });
  },
  float() {
    return convert(this, { dtype: "float32" });
  },
  double() {
    return convert(this, { dtype: "float64" });
  },
  half() {
    return convert(this, { dtype: "float16" });
  },
  bfloat16() {
    return convert(this, { dtype: "bfloat16" });
  },
  int() {
    return convert(this, { dtype: "int32" });
  },
  long() {
    return convert(this, { dtype: "int64" });
  },
  backward(options = {}) {
    begin();
    putWord(options.retainGraph === true || options.createGraph === true ? 1 : 0);
    putWord(options.createGraph === true ? 1 : 0);
    putHandles([this]);
    putHandles([options.gradient]);
    putHandles(options.inputs ?? []);
    run(() => native.backward());
  },
  registerHook(hook) {
    begin();
    putWord(this.liveHandle);
    putWord(0);
    run(() =>
      native.registerHook(([handle]) => {
        const replaced = scope(() => {
          const result = hook(new Tensor(handle!));
          return result === undefined ? undefined : handOver(result);
        });
        return replaced === undefined ? [] : [replaced];
      }),
    );
  },
  registerPostAccumulateGradHook(hook) {
    begin();
    putWord(this.liveHandle);
    putWord(1);
    run(() =>
      native.registerHook(([handle]) => {
        scope(() => hook(new Tensor(handle!)));
        return [];
      }),
    );
  },
  at(...index) {
    return at(this, index);
  },
  assign(index, value) {
    assign(this, index, value);
    return this;
  },
  equal(other) {
    const [a, b] = [info(this), info(other)];
    return (
      a.dtype === b.dtype &&
      a.shape.length === b.shape.length &&
      a.shape.every((size, i) => size === b.shape[i]) &&
      torch.equal(this, other)
    );
  },
  isClose(other, { relative = 1e-5, absolute = 1e-8, equalNan = false } = {}) {
    return torch.allclose(this.detach(), other.detach(), relative, absolute, equalNan);
  },
  toString() {
    return formatTensor(this);
  },
};
for (const [name, value] of Object.entries(methods))
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
Object.defineProperty(Tensor.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: Tensor) {
    return formatTensor(this);
  },
});

function convert(tensor: Tensor, { dtype, device, nonBlocking = false, copy = false, memoryFormat }: Conversion): Tensor {
  const now = info(tensor);
  const same =
    (dtype === undefined || dtype === now.dtype) && (device === undefined || device === now.device || `${device}:0` === now.device);
  if (same && !copy && memoryFormat === undefined) return tensor;
  return torch._toCopy(tensor, { dtype: dtype ?? null, device: device ?? null, nonBlocking, memoryFormat: memoryFormat ?? null });
}

/** @internal The elements as JavaScript numbers, booleans or bigints. */
export function elements(tensor: Tensor, dtype: Dtype): (number | bigint | boolean | Complex)[] {
  const half = dtype === "bfloat16" || dtype === "float16" || dtype.startsWith("float8");
  const array = half ? tensor.toFloat32Array() : tensor.toTypedArray();
  if (dtype === "bool") return Array.from(array as Uint8Array, (value) => value !== 0);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array)
    return Array.from(array, (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
  if (dtype.startsWith("complex"))
    return Array.from({ length: array.length / 2 }, (_, i) => ({ re: Number(array[2 * i]), im: Number(array[2 * i + 1]) }));
  return Array.from(array as Float32Array);
}
