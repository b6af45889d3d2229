import { FieldError, nearest } from "../errors.ts";

/** Shares by source name; they need not sum to 1. */
export type Shares = Readonly<Record<string, number>>;

/** From `step` on these shares hold; with `over`, they are reached in a straight line over so many steps. A source not named has none. */
export interface ShareChange {
  readonly step: number;
  readonly shares: Shares;
  readonly over?: number;
}

/** Temperature sampling: p ∝ size^(1/τ). τ = 1 is proportional, τ → ∞ uniform. Size in any unit. */
export function sharesBySize(sizes: Shares, temperature: number): Record<string, number> {
  if (!(temperature > 0))
    throw new FieldError("MIXTURE_TEMPERATURE", { at: "mixture.temperature", expected: "a number above 0", received: temperature });
  // Against the largest size, so that no power overflows.
  const largest = Math.max(...Object.values(sizes));
  return normalize(mapValues(sizes, (size) => (size / largest) ** (1 / temperature)));
}

/** The shares as parts of 1. */
export function normalize(shares: Shares, at = "mixture"): Record<string, number> {
  for (const [name, share] of Object.entries(shares)) {
    if (!(share >= 0 && share < Number.POSITIVE_INFINITY)) {
      const data = { at: `${at} share of "${name}"`, expected: "a number from 0", received: share };
      throw new FieldError("MIXTURE_SHARE", data);
    }
  }
  const sum = Object.values(shares).reduce((total, share) => total + share, 0);
  if (!(sum > 0)) throw new FieldError("MIXTURE_SHARE", { at, expected: "at least one share above 0", received: shares });
  return mapValues(shares, (share) => share / sum);
}

/** The share of every source at every step. */
export class ShareSchedule {
  private readonly changes: readonly { step: number; over: number; shares: readonly number[] }[];

  /** `changes` in the order of their steps, the first at step 0; a straight line has to end before the next change. */
  constructor(names: readonly string[], changes: readonly ShareChange[]) {
    if (changes[0]?.step !== 0)
      throw new FieldError("MIXTURE_SCHEDULE", { at: "mixture.schedule[0].step", expected: "0", received: changes[0]?.step });
    this.changes = changes.map(({ step, shares, over = 0 }, i) => {
      const at = `mixture.schedule[${i}]`;
      const earliest = i === 0 ? 0 : changes[i - 1]!.step + Math.max(1, changes[i - 1]!.over ?? 0);
      if (!Number.isInteger(step) || step < earliest)
        throw new FieldError("MIXTURE_SCHEDULE", { at: `${at}.step`, expected: `an integer from ${earliest}`, received: step });
      if (!Number.isInteger(over) || over < 0 || (i === 0 && over > 0))
        throw new FieldError("MIXTURE_SCHEDULE", { at: `${at}.over`, expected: i === 0 ? "0" : "an integer from 0", received: over });
      for (const name of Object.keys(shares)) if (!names.includes(name)) throw unknownSource(name, names, `${at}.shares`);
      const parts = normalize(shares, at);
      return { step, over, shares: names.map((name) => parts[name] ?? 0) };
    });
  }

  /** Shares by index of the names; they sum to 1. */
  at(step: number): readonly number[] {
    const i = this.changes.findLastIndex((change) => change.step <= step);
    const { step: from, over, shares } = this.changes[i]!;
    if (step >= from + over) return shares;
    const before = this.changes[i - 1]!.shares;
    const progress = (step - from) / over;
    return shares.map((share, d) => before[d]! + (share - before[d]!) * progress);
  }
}

export function unknownSource(name: string, names: readonly string[], at: string): FieldError {
  const near = nearest(name, names);
  return new FieldError("MIXTURE_SOURCE", {
    at,
    expected: `names of sources (${names.join(", ")})`,
    received: name,
    ...(near === undefined ? {} : { todo: `write "${near}" if that is meant` }),
  });
}

const mapValues = (record: Shares, map: (value: number) => number): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
