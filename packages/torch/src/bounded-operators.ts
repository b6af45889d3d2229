/**
 * Arguments that are refused before the call, because libtorch does not check them. Most are of operators whose work grows with a
 * number instead of with their tensors: asked for a degree of 2³¹ they would compute for hours, and nothing could interrupt them.
 */
import type { Schema } from "./schema.ts";
import { isTensor } from "./scope.ts";
import type { Tensor } from "./tensor.ts";

/** Elements that `combinations` may go through: n^r, the grid from which it picks. */
const MAX_GRID = 2 ** 28;
/** Degree of the polynomials that are computed by a recurrence, one step a degree, and order of differences, one pass an order. */
const MAX_DEGREE = 2 ** 20;

/** Steps of `roll` and what is made of it: libtorch calls itself once for each, and tens of thousands overflow the stack. */
const MAX_ROLLS = 4096;

/** Says what is wrong, or undefined. `argument` gives the value passed for an argument of the schema. */
type Bound = (argument: (position: number) => unknown, schema: Schema) => string | undefined;

const combinations: Bound = (argument) => {
  const n = (argument(0) as Tensor).numel;
  const r = Number(argument(1) ?? 2);
  return r < 0 || n ** r <= MAX_GRID ? undefined : `${n} elements in groups of ${r} are more than the ${MAX_GRID} = n^r that are allowed`;
};

/** Degrees far below 0 are no work. */
const degree: Bound = (argument) => {
  const n = argument(1);
  const largest = isTensor(n) ? largestOf(n) : Number(n ?? 0);
  return largest <= MAX_DEGREE || Number.isNaN(largest) ? undefined : `n = ${largest} is beyond ${MAX_DEGREE}, the highest allowed`;
};

const largestOf = (n: Tensor): number => {
  if (n.isDisposed || n.numel === 0 || n.device === "meta" || n.dtype.startsWith("complex") || n.dtype === "bool") return 0;
  const largest = n.detach().to("float64").max() as Tensor;
  const value = largest.item();
  largest.dispose();
  return value;
};

/** libtorch writes one result after the other into `out` without counting them. */
const asManyResults: Bound = (argument, { arguments: all }) => {
  const at = all.findIndex(({ name, written }) => name === "out" && written);
  if (at < 0) return undefined;
  const [first, out] = [argument(0), argument(at)];
  if (!Array.isArray(first) || !Array.isArray(out) || first.length === out.length) return undefined;
  return `out holds ${out.length} tensors for ${first.length} results`;
};

const rolls: Bound = (argument) => {
  const dimensions = argument(1);
  return Array.isArray(dimensions) && dimensions.length > MAX_ROLLS
    ? `${dimensions.length} steps are more than the ${MAX_ROLLS} that are allowed`
    : undefined;
};

/** The check of an operator's arguments, if it needs one. */
export const boundOf = (name: string): Bound | undefined =>
  boundedOperators[name] ?? (name.startsWith("aten::_foreach_") ? asManyResults : undefined);

const boundedOperators: Readonly<Record<string, Bound>> = {
  "aten::combinations": combinations,
  "aten::diff": degree,
  "aten::fft_fftshift": rolls,
  "aten::fft_ifftshift": rolls,
  "aten::roll": rolls,
  "aten::special_laguerre_polynomial_l": degree,
  "aten::special_legendre_polynomial_p": degree,
};
