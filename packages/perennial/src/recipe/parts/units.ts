/** Counts as people write them: 1500000, 1.5M, 200k, 3G. A suffix is a power of 1000. */
import { z } from "zod";

const SUFFIXES = { k: 1e3, M: 1e6, G: 1e9 } as const;

/** A whole number of at least `min`, with an optional suffix k, M or G. Code behind it sees a number. */
export const count = (min: number) =>
  z.union([z.int().min(min), z.string().regex(/^\d+(\.\d+)?[kMG]$/)]).transform((written, context) => {
    const value = typeof written === "number" ? written : parseCount(written);
    if (Number.isSafeInteger(value) && value >= min) return value;
    context.addIssue({ code: "custom", message: `a whole number of at least ${min}` });
    return z.NEVER;
  });

export function parseCount(written: string): number {
  const factor = SUFFIXES[written.at(-1) as keyof typeof SUFFIXES];
  const value = Number(written.slice(0, -1)) * factor;
  // 2.3M is 2300000 although 2.3 · 10⁶ is 2299999.9999999995.
  return Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : value;
}

/** A count at a glance: 2,048, 12.3k, 1.5M. */
export function formatCount(value: number): string {
  if (Math.abs(value) < 1e4) return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
  const [suffix, factor] = value < 999_500 ? (["k", 1e3] as const) : value < 999_500_000 ? (["M", 1e6] as const) : (["G", 1e9] as const);
  return `${Number((value / factor).toPrecision(3)).toLocaleString("en-US")}${suffix}`;
}

/** At a regular number of optimizer steps, or not at all. */
export const everySteps = () => z.union([z.int().min(1), z.literal("never")]);
