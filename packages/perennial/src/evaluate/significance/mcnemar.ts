/**
 * McNemar's test of two systems on the same items: b = only A right, c = only B right, n = b + c. All p-values two-sided.
 *   exact   min(1, 2 Σ_{i ≤ min(b,c)} C(n,i)/2ⁿ)        use it for n < 25; right for every n
 *   mid-p   exact − C(n, min(b,c))/2ⁿ                    less conservative (Fagerland et al. 2013)
 *   χ²      (|b − c| − 1)²/n corrected, (b − c)²/n uncorrected, one degree of freedom: p = erfc(√(χ²/2))
 * n = 0 gives p = 1.
 */
import { erfc } from "./erfc.ts";

export interface McNemar {
  readonly exact: number;
  readonly midP: number;
  readonly chiSquaredCorrected: { readonly statistic: number; readonly pValue: number };
  readonly chiSquared: { readonly statistic: number; readonly pValue: number };
}

export function mcnemar(onlyFirstRight: number, onlySecondRight: number): McNemar {
  const n = onlyFirstRight + onlySecondRight;
  if (n === 0) {
    const nothing = { statistic: 0, pValue: 1 };
    return { exact: 1, midP: 1, chiSquaredCorrected: nothing, chiSquared: nothing };
  }
  const fewer = Math.min(onlyFirstRight, onlySecondRight);
  const difference = Math.abs(onlyFirstRight - onlySecondRight);
  const point = binomialHalf(n, fewer);
  let [tail, term] = [0, point];
  for (let i = fewer; i >= 0; i--) {
    tail += term;
    term *= i / (n - i + 1);
  }
  const exact = Math.min(1, 2 * tail);
  const withPValue = (statistic: number) => ({ statistic, pValue: erfc(Math.sqrt(statistic / 2)) });
  return {
    exact,
    midP: exact - point,
    chiSquaredCorrected: withPValue((difference - 1) ** 2 / n),
    chiSquared: withPValue(difference ** 2 / n),
  };
}

/** The same test on per-item outcomes of both systems. */
export function mcnemarOfItems(firstRight: readonly boolean[], secondRight: readonly boolean[]): McNemar {
  if (firstRight.length !== secondRight.length)
    throw new RangeError(`mcnemarOfItems: expected the same items twice, received ${firstRight.length} and ${secondRight.length}`);
  const count = (first: boolean) => firstRight.filter((right, i) => right === first && secondRight[i] !== first).length;
  return mcnemar(count(true), count(false));
}

/** C(n,k)/2ⁿ, in logarithms: 2ⁿ leaves the range of a double at n = 1024. */
function binomialHalf(n: number, k: number): number {
  let log = -n * Math.LN2;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return Math.exp(log);
}
