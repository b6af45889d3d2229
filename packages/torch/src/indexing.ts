import { isTensor } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { torch } from "./torch.ts";

/** One entry of an index: see `Tensor.at`. */
export type Index = number | ":" | "..." | null | readonly [start: number | null, end?: number | null, step?: number] | Tensor;

/** A view (or, with tensors in the index, a copy) of the part that `index` names. */
export function at(tensor: Tensor, index: readonly Index[]): Tensor {
  const { view, gathers } = select(tensor, index);
  if (gathers === undefined) return view;
  return torch.index(view, gathers);
}

/** Writes `value`, broadcast, to the part of `tensor` that `index` names. */
export function assign(tensor: Tensor, index: readonly Index[], value: Tensor | number | boolean): void {
  const { view, gathers } = select(tensor, index);
  const source = isTensor(value) ? value : torch.scalarTensor(value, { dtype: tensor.dtype, device: tensor.device });
  if (gathers !== undefined) torch.indexPut_(view, gathers, source);
  else view.copy_(source);
}

function select(tensor: Tensor, index: readonly Index[]): { view: Tensor; gathers: (Tensor | null)[] | undefined } {
  const ndim = tensor.ndim;
  // A mask takes as many dimensions as it has.
  const taken = index.reduce(
    (sum: number, entry) => sum + (entry === null || entry === "..." ? 0 : isTensor(entry) && entry.dtype === "bool" ? entry.ndim : 1),
    0,
  );
  if (index.filter((entry) => entry === "...").length > 1) throw new TypeError('at: an index may hold "..." once');
  if (taken > ndim) throw new RangeError(`at: ${taken} indices for a tensor of shape [${tensor.shape.join(", ")}]`);
  const full: Index[] = index.includes("...") ? [] : [...index];
  if (full.length === 0)
    for (const entry of index) {
      if (entry === "...") for (let i = taken; i < ndim; i++) full.push(":");
      else full.push(entry);
    }
  let view = torch.alias(tensor);
  const gathers: (Tensor | null)[] = [];
  let dim = 0;
  for (const entry of full) {
    if (entry === null) {
      view = view.unsqueeze(dim);
      gathers.push(null);
      dim++;
    } else if (typeof entry === "number") {
      view = view.select(dim, entry);
    } else if (isTensor(entry)) {
      while (gathers.length < dim) gathers.push(null);
      gathers.push(entry);
      dim += entry.dtype === "bool" ? entry.ndim : 1;
    } else {
      if (entry !== ":") {
        const [start, end, step] = entry as readonly [number | null, (number | null)?, number?];
        view = view.slice(dim, start, end ?? null, step ?? 1);
      }
      gathers.push(null);
      dim++;
    }
  }
  return { view, gathers: gathers.some((gather) => gather !== null) ? gathers : undefined };
}
