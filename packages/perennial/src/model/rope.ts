import { type Device, keep, type Tensor, tensor, torch } from "@perennial/torch";

/** How the angles of the rotary embedding are stretched beyond the length that the model was trained on. */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | { readonly type: "dynamic"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    }
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      readonly attentionFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    }
  | {
      readonly type: "longrope";
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly attentionFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    };

/** What the angles follow from. */
export interface Rope {
  /** Rotated dimensions R of a head. */
  readonly rotaryDim: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  readonly maxPositionEmbeddings: number;
}

/** The part of `longest`, the length of the longest sequence of a pass, that angles depend on: equal numbers, equal angles. */
function regimeOf({ ropeScaling, maxPositionEmbeddings }: Rope, longest: number): number {
  if (ropeScaling?.type === "dynamic") return Math.max(longest, maxPositionEmbeddings);
  if (ropeScaling?.type === "longrope") return Math.min(longest, ropeScaling.originalMaxPositionEmbeddings + 1);
  return 0;
}

/**
 * Angular frequencies of the rotary embedding (Su et al., arXiv 2104.09864): f_i = θ^(−2i/R), i = 0 … R/2 − 1, in
 * radians per position, stretched as `ropeScaling` says. n = `length`, the positions of the longest sequence:
 *   linear    f / factor
 *   dynamic   θ becomes θ · (factor · n / max − factor + 1)^(R/(R−2)) once n exceeds max = maxPositionEmbeddings
 *   llama3    wavelengths above original/lowFreqFactor are stretched by `factor`, those below original/highFreqFactor stay,
 *             in between both are blended linearly in original/wavelength
 *   yarn      (arXiv 2309.00071) f and f / factor blended by a ramp over i between the dimensions that turn betaFast and
 *             betaSlow times within the original length
 *   longrope  (arXiv 2402.13753) f / shortFactor_i, or f / longFactor_i once n exceeds the original length
 */
export function ropeFrequencies(rope: Rope, length = 0): Float64Array {
  const { rotaryDim: R, ropeTheta, ropeScaling: scaling, maxPositionEmbeddings } = rope;
  const stretched = scaling?.type === "dynamic" && length > maxPositionEmbeddings;
  const theta = stretched
    ? ropeTheta * ((scaling.factor * length) / maxPositionEmbeddings - (scaling.factor - 1)) ** (R / (R - 2))
    : ropeTheta;
  // Single precision as in the reference implementations: the angles of far positions depend on it.
  const exact = Float64Array.from({ length: R / 2 }, (_, i) => Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / R))));
  switch (scaling?.type) {
    case undefined:
    case "dynamic":
      return exact;
    case "linear":
      return exact.map((f) => f / scaling.factor);
    case "llama3": {
      const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: original } = scaling;
      return exact.map((f) => {
        const wavelength = (2 * Math.PI) / f;
        if (wavelength < original / highFreqFactor) return f;
        if (wavelength > original / lowFreqFactor) return f / factor;
        const smooth = (original / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
        return ((1 - smooth) * f) / factor + smooth * f;
      });
    }
    case "yarn": {
      const { factor, betaFast, betaSlow, truncate, originalMaxPositionEmbeddings: original } = scaling;
      // The dimension whose angle turns so often within the original length.
      const dimension = (turns: number) => (R * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
      const [first, last] = [dimension(betaFast), dimension(betaSlow)];
      const low = Math.max(truncate ? Math.floor(first) : first, 0);
      const high = Math.min(truncate ? Math.ceil(last) : last, R - 1);
      return exact.map((f, i) => {
        const ramp = Math.min(Math.max((i - low) / (low === high ? 0.001 : high - low), 0), 1);
        return (f / factor) * ramp + f * (1 - ramp);
      });
    }
    case "longrope": {
      const factors = length > scaling.originalMaxPositionEmbeddings ? scaling.longFactor : scaling.shortFactor;
      return exact.map((f, i) => f / factors[i]!);
    }
  }
}

/** Cosines and sines for positions 0 … length − 1, each [length, R], both halves alike; `longest` as `length` of `ropeFrequencies`. */
export function ropeTable(rope: Rope, length: number, longest = length): { cos: Tensor; sin: Tensor } {
  const frequencies = tensor(Float32Array.from(ropeFrequencies(rope, longest)));
  const angles = torch.outer(torch.arange(length, { dtype: "float32" }), frequencies);
  const both = torch.cat([angles, angles], -1);
  const { ropeScaling: scaling } = rope;
  const factor = scaling?.type === "yarn" || scaling?.type === "longrope" ? scaling.attentionFactor : 1;
  return factor === 1 ? { cos: both.cos(), sin: both.sin() } : { cos: both.cos().mul(factor), sin: both.sin().mul(factor) };
}

/** The table of a model, computed again when a pass is longer than those before or turns by other angles. */
export class RopeCache {
  private readonly rope: Rope;
  private table: { cos: Tensor; sin: Tensor } | undefined;
  private regime = 0;

  constructor(rope: Rope) {
    this.rope = rope;
  }

  /** Whether the angles depend on the longest sequence of the pass. */
  get dependsOnLongest(): boolean {
    return this.rope.ropeScaling?.type === "dynamic" || this.rope.ropeScaling?.type === "longrope";
  }

  /** At least `length` rows. */
  get(length: number, longest: number, device: Device = "cpu"): { cos: Tensor; sin: Tensor } {
    const regime = regimeOf(this.rope, longest);
    if (this.table === undefined || this.table.cos.size(0) < length || this.regime !== regime || this.table.cos.device !== device) {
      const { cos, sin } = ropeTable(this.rope, Math.max(length, Math.min(this.rope.maxPositionEmbeddings, 2 * length)), regime);
      this.table?.cos.dispose();
      this.table?.sin.dispose();
      this.table = { cos: keep(cos.to(device)), sin: keep(sin.to(device)) };
      this.regime = regime;
    }
    return this.table;
  }
}
