/**
 * The drop of DARE: each element stays with probability `density`. The elements that stay are those of `torch.bernoulli` on the
 * whole tensor after `torch.manual_seed(seed)`, so that other programs can keep the same.
 */
import { createGenerator, generatorState, keep, setGeneratorState, type Tensor, torch } from "@perennial/torch";
import type { Sparsify } from "./task-vectors.ts";
import { eachRange, type Values } from "./values.ts";

/**
 * How what stays is stretched: `density` divides by the density (the paper: the mean stays), `l1` gives the sum of magnitudes
 * that all elements had (mergekit since 0.1), `none` leaves it.
 */
export type Rescale = "density" | "l1" | "none";

export interface Drop {
  readonly density: number;
  readonly seed: number;
  readonly rescale: Rescale;
}

/** Smaller sums of magnitudes are not stretched, as in mergekit. */
const SMALLEST_SUM = 1e-7;

export function dropped(base: Values, model: Values, { density, seed, rescale }: Drop): Sparsify {
  if (density >= 1) return (delta) => delta;
  if (density <= 0) return (delta) => torch.zerosLike(delta);
  const factor = rescale === "density" ? 1 / density : rescale === "l1" ? l1Factor(base, model, density, seed) : 1;
  const mask = masks(density, seed);
  return (delta, start) => delta.mul(mask(delta.numel, start)).mul_(factor);
}

function l1Factor(base: Values, model: Values, density: number, seed: number): number {
  const mask = masks(density, seed);
  let [before, after] = [0, 0];
  eachRange(base.numel, (start, end) => {
    const sizes = model.read(start, end).sub(base.read(start, end)).abs();
    before += sizes.sum({ dtype: "float64" }).item();
    after += sizes
      .mul_(mask(end - start, start))
      .sum({ dtype: "float64" })
      .item();
  });
  return before < SMALLEST_SUM || after < SMALLEST_SUM ? 1 : before / after;
}

/** 1 where an element stays. Ranges in order; the last one may be asked for again, and so may all from the first on. */
function masks(density: number, seed: number): (numel: number, start: number) => Tensor {
  let generator = createGenerator(seed);
  let position = -1;
  let state: Tensor | undefined;
  return (numel, start) => {
    if (start === position) setGeneratorState(generator, state!);
    else {
      if (start === 0) generator = createGenerator(seed);
      state?.dispose();
      state = keep(generatorState(generator));
      position = start;
    }
    return torch.bernoulli(torch.full([numel], density), { generator });
  };
}
