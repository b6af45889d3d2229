import { type Tensor, tensor, torch } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";

/**
 * Angular frequencies of the rotary embedding (Su et al., arXiv 2104.09864): f_i = θ^(−2i/E), i = 0 … E/2 − 1, in
 * radians per position, stretched as `ropeScaling` says:
 *   linear  f / factor
 *   llama3  wavelengths above original/lowFreqFactor are stretched by `factor`, those below original/highFreqFactor stay,
 *           in between both are blended linearly in original/wavelength.
 */
export function ropeFrequencies(config: Pick<DecoderConfig, "headDim" | "ropeTheta" | "ropeScaling">): Float64Array {
  const { headDim, ropeTheta, ropeScaling } = config;
  // Single precision as in the reference implementations: the angles of far positions depend on it.
  const exact = Float64Array.from({ length: headDim / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(ropeTheta ** Math.fround((2 * i) / headDim))),
  );
  if (ropeScaling === null) return exact;
  if (ropeScaling.type === "linear") return exact.map((f) => f / ropeScaling.factor);
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: original } = ropeScaling;
  return exact.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength < original / highFreqFactor) return f;
    if (wavelength > original / lowFreqFactor) return f / factor;
    const smooth = (original / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}

/** Cosines and sines for positions 0 … length − 1, each [length, headDim], both halves alike. */
export function ropeTable(config: DecoderConfig, length: number): { cos: Tensor; sin: Tensor } {
  const frequencies = tensor(Float32Array.from(ropeFrequencies(config)));
  const angles = torch.outer(torch.arange(length, { dtype: "float32" }), frequencies);
  const both = torch.cat([angles, angles], -1);
  return { cos: both.cos(), sin: both.sin() };
}

/** Turns each pair (x_i, x_{i+E/2}) by its position's angle. x [B,H,T,E] · cos, sin [B|1,1,T,E] → [B,H,T,E]. */
export function applyRope(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const half = x.size(-1) / 2;
  const rotated = torch.cat([x.slice(-1, half).neg(), x.slice(-1, 0, half)], -1);
  return x.mul(cos).add(rotated.mul(sin));
}
