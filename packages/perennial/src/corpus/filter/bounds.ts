/**
 * A statistics filter is a table of bounds on numbers: a document is dropped by the first bound it breaks, in the order of the
 * table. The same table gives the schema, the decision from stored statistics (replay) and what can be adapted per language.
 * A bound that is `null` is off; every number is that number (the reference code also treats 0 as off, here 0 is a bound).
 */
import { z } from "zod";
import type { Document } from "../document.ts";
import { type Decision, drop, type Filter, keep } from "./define.ts";
import { englishProfile, type Statistics, type StatisticsProfile, statistics } from "./statistics.ts";

export interface Bound {
  readonly statistic: keyof Statistics;
  readonly side: "min" | "max";
  /** The published English value; null: off. */
  readonly default: number | null;
}

export const atLeast = (statistic: keyof Statistics, value: number | null): Bound => ({ statistic, side: "min", default: value });
export const atMost = (statistic: keyof Statistics, value: number | null): Bound => ({ statistic, side: "max", default: value });

export type BoundTable = Readonly<Record<string, Bound>>;
export type Thresholds<Table extends BoundTable = BoundTable> = { readonly [Name in keyof Table]: number | null };

export interface StatisticsFilter<Table extends BoundTable = BoundTable> {
  readonly name: string;
  readonly bounds: Table;
  readonly schema: z.ZodType<Thresholds<Table>, Partial<Thresholds<Table>>>;
  /** From stored statistics: the same decision as from the text. */
  decide(statistics: Statistics, thresholds: Thresholds<Table>): Decision;
  /** A filter over documents; filters with the same profile object share one computation of the statistics. */
  filter(thresholds?: Partial<Thresholds<Table>>, profile?: StatisticsProfile): Filter;
}

export function defineBounds<const Table extends BoundTable>(name: string, bounds: Table): StatisticsFilter<Table> {
  const fields = Object.entries(bounds).map(([field, bound]) => [field, z.number().nullable().default(bound.default)] as const);
  const schema = z.strictObject(Object.fromEntries(fields)) as unknown as StatisticsFilter<Table>["schema"];
  const order = Object.entries(bounds).map(([field, { statistic, side }]) => ({
    field,
    statistic,
    side,
    reason: reasonOf(statistic, side),
  }));

  const decide = (values: Statistics, thresholds: Thresholds<Table>): Decision => {
    for (const { field, statistic, side, reason } of order) {
      const threshold = thresholds[field]!;
      const value = values[statistic];
      if (threshold !== null && (side === "min" ? value < threshold : value > threshold)) return drop(reason, value, threshold);
    }
    return keep;
  };

  return {
    name,
    bounds,
    schema,
    decide,
    filter(given = {}, profile = englishProfile) {
      const thresholds = schema.parse(given);
      return { name, options: thresholds, decide: (document: Document) => decide(statistics(document, profile), thresholds) };
    },
  };
}

/** `meanWordLength`, `max` → `mean-word-length-above-max`. */
const reasonOf = (statistic: string, side: Bound["side"]): string =>
  `${statistic.replace(/(?<=[a-z])(?=\d)|[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-${side === "min" ? "below-min" : "above-max"}`;
