/**
 * Slopes of the linear biases (Press et al., arXiv 2108.12409): for H heads, H a power of two, 2^(−8h/H), h = 1 … H;
 * otherwise those of the power of two below, then every second one of the power of two above.
 */
export function alibiSlopes(numHeads: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(numHeads));
  return Float32Array.from({ length: numHeads }, (_, i) =>
    i < power ? 2 ** ((-8 * (i + 1)) / power) : 2 ** ((-4 * (2 * (i - power) + 1)) / power),
  );
}
