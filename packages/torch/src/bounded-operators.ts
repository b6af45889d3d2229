/**
 * Arguments that are refused before the call, because libtorch does not check them. Most are of operators whose work grows with a
 * number instead of with their tensors: asked for a degree of 2³¹ they would compute for hours, and nothing could interrupt them. What holds for every operator, tensors
 * of endless size without memory, is refused in `native/call.cpp`.
 */
import type { Schema } from "./schema.ts";
import { isTensor, scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";

/** Elements that `combinations` may go through: n^r, the grid from which it picks. */
const MAX_GRID = 2 ** 28;
/** Degree of the polynomials that are computed by a recurrence, one step a degree, and order of differences, one pass an order. */
const MAX_DEGREE = 2 ** 20;

/** Steps of `roll` and what is made of it: libtorch calls itself once for each, and tens of thousands overflow the stack. */
const MAX_ROLLS = 4096;

/** Bins between which a quantizer's range is searched, one pass over the numbers a bin. */
const MAX_BINS = 2 ** 16;

/** Tensors that one split may return: they are made one by one, and of a view of 2⁴⁰ elements, or of nothing, any number can be asked for. */
const MAX_PARTS = 2 ** 18;

/** How far below 0 Hurwitz's zeta function may be asked for: it goes up from there in steps of 1. */
const MAX_STEPS_BELOW_ZERO = 2 ** 16;

/** Says what is wrong, or undefined. `argument` gives the value passed for an argument of the schema. */
type Bound = (argument: (position: number) => unknown, schema: Schema) => string | undefined;

const combinations: Bound = (argument) => {
  const n = (argument(0) as Tensor).numel;
  const r = Number(argument(1) ?? 2);
  return r < 0 || Math.max(n, 2) ** r <= MAX_GRID
    ? undefined
    : `${n} elements in groups of ${r} are more than the ${MAX_GRID} = n^r that are allowed`;
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

const partsBeyond = (parts: number) =>
  parts > MAX_PARTS ? `${parts} parts are more than the ${MAX_PARTS} that one call may return` : undefined;

/** A dimension out of range is for libtorch to refuse. */
const sizeAlong = (tensor: unknown, dim: unknown) => (tensor as Tensor).shape.at(Number(dim ?? 0)) ?? 0;

const sections: Bound = (argument) => {
  const given = argument(1);
  if (isTensor(given)) return given.shape.length === 0 ? partsBeyond(largestOf(given)) : undefined;
  return partsBeyond(Number(given));
};

/** At most as many as there are elements, but of nothing as many as are asked for. */
const chunks: Bound = (argument) => {
  const [size, asked] = [sizeAlong(argument(0), argument(2)), Number(argument(1))];
  return partsBeyond(size > 0 ? Math.min(asked, size) : asked);
};

const piecesOfSize: Bound = (argument) => {
  const size = Number(argument(1));
  return size > 0 ? partsBeyond(Math.ceil(sizeAlong(argument(0), argument(2)) / size)) : undefined;
};

const eachAlone: Bound = (argument) => partsBeyond(sizeAlong(argument(0), argument(1)));

/** Whether any element is as `test` says; of a tensor without data, none is. */
const holds = (tensor: unknown, test: (tensor: Tensor) => Tensor): boolean =>
  isTensor(tensor) &&
  !tensor.isDisposed &&
  tensor.numel > 0 &&
  tensor.device !== "meta" &&
  scope(() => Boolean((test(tensor.detach()).any() as Tensor).item()));

/** ζ(s, q) and the polygamma functions of q, which are made of it; integers below 1 are poles and no work. */
const hurwitz = (q: unknown): string | undefined => {
  const deep = isTensor(q)
    ? q.dtype.startsWith("float") && holds(q, (x) => x.lt(-MAX_STEPS_BELOW_ZERO).logicalAnd(x.frac().ne(0)))
    : Number(q) < -MAX_STEPS_BELOW_ZERO && !Number.isInteger(Number(q));
  return deep ? `an argument below ${-MAX_STEPS_BELOW_ZERO} is beyond what is summed` : undefined;
};

const polygamma: Bound = (argument) => {
  const [n, x] = isTensor(argument(0)) ? [argument(1), argument(0)] : [argument(0), argument(1)];
  return Number(n) > 1 ? hurwitz(x) : undefined;
};

const bins: Bound = (argument) => {
  const count = Number(argument(2));
  return count > MAX_BINS ? `nBins = ${count} is beyond ${MAX_BINS}, the highest allowed` : undefined;
};

/** The sampler draws until a count is reached, and NaN never is. */
const countedDraws: Bound = (argument) => (holds(argument(0), (count) => count.isnan()) ? "count holds NaN" : undefined);

/** libtorch checks this in `linalg_eig` alone; LAPACK then returns where it has not written. */
const finiteMatrix: Bound = (argument) =>
  holds(argument(0), (matrix) => matrix.isfinite().logicalNot()) ? "the matrix holds infinities or NaN" : undefined;

/** The check of an operator's arguments, if it needs one. */
export const boundOf = (name: string): Bound | undefined =>
  boundedOperators[name] ?? (name.startsWith("aten::_foreach_") ? asManyResults : undefined);

const boundedOperators: Readonly<Record<string, Bound>> = {
  "aten::_linalg_eigvals": finiteMatrix,
  "aten::binomial": countedDraws,
  "aten::choose_qparams_optimized": bins,
  "aten::chunk": chunks,
  "aten::combinations": combinations,
  "aten::diff": degree,
  "aten::dsplit": sections,
  "aten::fft_fftshift": rolls,
  "aten::fft_ifftshift": rolls,
  "aten::hsplit": sections,
  "aten::linalg_eigvals": finiteMatrix,
  "aten::polygamma": polygamma,
  "aten::polygamma_": polygamma,
  "aten::roll": rolls,
  "aten::special_laguerre_polynomial_l": degree,
  "aten::special_legendre_polynomial_p": degree,
  "aten::special_polygamma": polygamma,
  "aten::special_zeta": (argument) => hurwitz(argument(1)),
  "aten::split": piecesOfSize,
  "aten::split_copy": piecesOfSize,
  "aten::tensor_split": sections,
  "aten::unbind": eachAlone,
  "aten::unbind_copy": eachAlone,
  "aten::unsafe_chunk": chunks,
  "aten::unsafe_split": piecesOfSize,
  "aten::vsplit": sections,
};
