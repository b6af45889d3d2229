/**
 * Scopes: JavaScript's collector does not see native memory, so what a scope creates is freed when the scope ends,
 * unless it is returned or kept. Outside of any scope a finalizer frees what became unreachable, which happens late
 * and never inside one long synchronous loop: put the body of such a loop into a scope.
 */
import { native } from "./native.ts";
import type { Tensor } from "./tensor.ts";

class Scope {
  readonly tensors: Tensor[] = [];
  readonly parent: Scope | undefined;
  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }
}

let current: Scope | undefined;
let words = new Float64Array(native.buffer());
function freshWords(): Float64Array {
  if (words.length === 0) words = new Float64Array(native.buffer());
  return words;
}

const finalizer = new FinalizationRegistry<number>((handle) => {
  unscoped.count--;
  freshWords()[0] = 1;
  words[1] = handle;
  native.release();
  reportSometimes();
});
const unscoped = { count: 0, changes: 0 };

/**
 * V8 sees a few bytes of JavaScript where megabytes hang, so it is told. Asking for the bytes costs a walk over all
 * tensors, hence once in a while: after many changes when many tensors live, after few when few do.
 */
function reportSometimes(): void {
  if (++unscoped.changes < 8 + (unscoped.count >> 3)) return;
  unscoped.changes = 0;
  native.reportMemory();
}

function leaveToCollector(tensor: Tensor): void {
  tensor.collected = true;
  unscoped.count++;
  finalizer.register(tensor, tensor.handle, tensor);
  reportSometimes();
}

/** @internal A new tensor belongs to the scope that is open, or to the collector. */
export function adopt(tensor: Tensor): void {
  if (current !== undefined) current.tensors.push(tensor);
  else leaveToCollector(tensor);
}

/** @internal Ends a tensor's life now. */
export function discard(tensor: Tensor): void {
  if (tensor.handle < 0) return;
  if (tensor.collected) {
    finalizer.unregister(tensor);
    unscoped.count--;
  }
  freshWords()[0] = 1;
  words[1] = tensor.handle;
  native.release();
  tensor.markDisposed();
}

/**
 * Runs `body` and frees every tensor that it created, except those it returns (in an array, object, Map or Set as
 * well) and those passed to `keep`. Returned tensors belong to the enclosing scope.
 * Throws a TypeError when `body` is asynchronous: a promise would outlive its tensors; use `openScope` there.
 */
export function scope<T>(body: () => T): T {
  const own = new Scope(current);
  current = own;
  let result: T;
  try {
    result = body();
    if (result instanceof Promise)
      throw new TypeError("scope() needs a synchronous function; use `using s = openScope()` around awaited work");
  } catch (error) {
    close(own);
    throw error;
  }
  if (result !== undefined && result !== null && typeof result === "object") {
    const escaping: Tensor[] = [];
    collect(result, escaping, 0);
    for (const tensor of escaping) tensor.escaping = true;
    close(own);
    for (const tensor of escaping) tensor.escaping = false;
  } else {
    close(own);
  }
  return result;
}

/** A scope that ends with `close()`, or with the block where the runtime has `using`. Scopes end in reverse order. */
export function openScope(): { close(): void; [Symbol.dispose](): void } {
  const own = new Scope(current);
  current = own;
  const end = () => {
    if (own === current) close(own);
    else if (isOpen(own)) throw new Error("Scopes must be closed in reverse order: an inner scope is still open");
  };
  return { close: end, [Symbol.dispose ?? Symbol.for("Symbol.dispose")]: end } as { close(): void; [Symbol.dispose](): void };
}

function isOpen(scope: Scope): boolean {
  for (let open = current; open !== undefined; open = open.parent) if (open === scope) return true;
  return false;
}

/** Takes a tensor out of all scopes: it lives until `dispose()`, or until it is unreachable. Returns the tensor. */
export function keep<T extends Tensor>(tensor: T): T {
  if (!tensor.collected && tensor.handle >= 0) leaveToCollector(tensor);
  return tensor;
}

function close(own: Scope): void {
  current = own.parent;
  const { tensors } = own;
  freshWords();
  if (tensors.length + 1 > words.length) {
    native.reserve(tensors.length + 1);
    freshWords();
  }
  let count = 0;
  for (let i = 0; i < tensors.length; i++) {
    const tensor = tensors[i]!;
    if (tensor.collected || tensor.handle < 0) continue;
    if (tensor.escaping) {
      adopt(tensor);
      continue;
    }
    words[++count] = tensor.handle;
    tensor.markDisposed();
  }
  words[0] = count;
  if (count > 0) native.release();
}

const MAX_DEPTH = 8;

function collect(value: unknown, found: Tensor[], depth: number): void {
  if (value === null || typeof value !== "object" || depth > MAX_DEPTH) return;
  if (isTensor(value)) found.push(value);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) collect(item, found, depth + 1);
  else if (value instanceof Map) for (const item of value.values()) collect(item, found, depth + 1);
  else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) collect(item, found, depth + 1);
}

// By mark, not by class: the class lives in a module that imports this one.
export const tensorMark: unique symbol = Symbol("Tensor");
export const isTensor = (value: unknown): value is Tensor => typeof value === "object" && value !== null && tensorMark in value;

/** Tensors held from TypeScript, and the bytes of the distinct buffers behind them. */
export function memory(): { liveTensors: number; liveBytes: number; unscopedTensors: number } {
  native.live();
  freshWords();
  return { liveTensors: words[0]!, liveBytes: words[1]!, unscopedTensors: unscoped.count };
}

/** Tensors held from TypeScript at this moment. */
export const liveTensors = (): number => memory().liveTensors;
