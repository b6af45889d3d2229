import type { Dtype } from "./dtype.ts";
import { adopt, discard, tensorMark } from "./scope.ts";

const DISPOSED = -1;

/** Set by `debugDisposal(true)`: remembers where tensors were disposed, to name the place when one is used afterwards. */
let rememberPlaces = false;
const places = new WeakMap<Tensor, string>();

/** In debug mode the error on use after disposal says where the tensor was disposed. Costs a stack trace a disposal. */
export function debugDisposal(enabled: boolean): void {
  rememberPlaces = enabled;
}

/**
 * A tensor of libtorch. Operators are methods (`x.matmul(y)`, `x.softmax(-1)`), generated from libtorch's own schemas;
 * the members below are added by `tensor-methods.ts`, `indexing.ts` and the generated operators.
 */
export class Tensor {
  /** @internal Index and generation in the addon's table; −1 after disposal. */
  handle: number;
  /** @internal Left to the garbage collector instead of a scope. */
  collected = false;
  /** @internal Being returned from a scope that is closing. */
  escaping = false;

  /** @internal Wraps a handle that the addon returned. */
  constructor(handle: number) {
    this.handle = handle;
    adopt(this);
  }

  /** Frees the tensor's hold on its memory now. A second call does nothing. */
  dispose(): void {
    discard(this);
  }

  get isDisposed(): boolean {
    return this.handle < 0;
  }

  /** @internal */
  markDisposed(): void {
    this.handle = DISPOSED;
    if (rememberPlaces) places.set(this, new Error("disposed here").stack ?? "");
  }

  /** @internal The handle, or the error that says why there is none. */
  get liveHandle(): number {
    if (this.handle >= 0) return this.handle;
    const place = places.get(this);
    throw new Error(
      `This Tensor was disposed of: its scope ended or dispose() was called. Return it from its scope, or keep() it.${
        place === undefined ? " debugDisposal(true) records where." : `\n--- ${place}\n---`
      }`,
    );
  }

  /** @internal */
  get [tensorMark](): true {
    return true;
  }
}
Object.defineProperty(Tensor.prototype, Symbol.dispose ?? Symbol.for("Symbol.dispose"), {
  value(this: Tensor) {
    this.dispose();
  },
});

export type { Dtype };
