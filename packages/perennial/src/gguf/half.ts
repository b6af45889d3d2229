/** IEEE 754 half precision. */
let table: Float32Array | undefined;

/** Bits of a half → its value: all 65,536 of them, made on first use. */
export function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits >> 15 === 0 ? 1 : -1;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
  return table;
}

/** A value that is not negative → the bits of the nearest half, the even one of two as near. */
export function halfBits(value: number): number {
  if (!(value < 65_520)) return Number.isNaN(value) ? 0x7e00 : 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(value)));
  const scaled = value * 2 ** (10 - exponent);
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  // A fraction that overflows carries into the exponent, as the bits do.
  return rounded + (exponent + 14) * 1024;
}
