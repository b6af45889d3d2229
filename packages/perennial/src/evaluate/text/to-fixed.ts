/**
 * `f"{value:.{digits}f}"` of Python for value ≥ 0: exact ties go to the even digit (31.25 → "31.2"), while JavaScript's `toFixed` rounds
 * them up. A double is an exact tie only if value · 2^(digits + 1) is an integer.
 */
export function toFixedHalfEven(value: number, digits: number): string {
  const scaled = value * 10 ** digits;
  if (!Number.isInteger(value * 2 ** (digits + 1)) || scaled % 1 !== 0.5) return value.toFixed(digits);
  const below = Math.floor(scaled);
  return ((below % 2 === 0 ? below : below + 1) / 10 ** digits).toFixed(digits);
}
