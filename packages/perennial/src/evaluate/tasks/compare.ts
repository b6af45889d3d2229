/**
 * Two models on the same items: each item's values of one beside those of the other, so that what is hard for both does not blur the
 * difference. Paired bootstrap over items for every metric; McNemar's exact test as well where an item is right or wrong.
 */
import { isDeepStrictEqual } from "node:util";
import { FieldError } from "../../errors.ts";
import { mcnemarOfItems } from "../significance/mcnemar.ts";
import { pairedBootstrap } from "../significance/paired-bootstrap.ts";
import { type Aggregation, aggregations, type ItemValue } from "./aggregation.ts";
import { itemValues } from "./items.ts";
import type { TaskResult } from "./run-task.ts";

export interface TaskComparison {
  readonly task: string;
  readonly metric: string;
  readonly filter: string;
  readonly higherIsBetter: boolean;
  readonly baseline: number;
  readonly system: number;
  /** system − baseline, with the bounds of its 95 % interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided, from the same resamples as the interval: twice the share in which the better model does not win, never 0. */
  readonly pValue: number;
  /** Two-sided and exact; only where an item is right or wrong. */
  readonly mcnemar?: { readonly onlyBaseline: number; readonly onlySystem: number; readonly pValue: number };
  readonly numItems: number;
}

export interface CompareOptions {
  /** Default 1000. */
  readonly resamples?: number;
  /** Default 12345. */
  readonly seed?: number;
}

/** Every metric of every task, in their order. A median has no sums to resample and is left out. */
export function compareTasks(
  baseline: readonly TaskResult[],
  system: readonly TaskResult[],
  { resamples = 1000, ...options }: CompareOptions = {},
): TaskComparison[] {
  return baseline.flatMap((task, i) => {
    const other = system[i];
    if (other === undefined || other.config.task !== task.config.task || !sameItems(task, other))
      throw new FieldError("EVALUATE_ITEMS", {
        at: task.config.task,
        expected: "the same items for both models",
        received: other?.config.task ?? null,
        todo: "evaluate both on the same tasks with the same limit",
      });
    return task.scores.flatMap(({ metric, filter, aggregation, higherIsBetter }): TaskComparison[] => {
      if (aggregation === "median") return [];
      const [ours, theirs] = [itemValues(task.items, filter, metric), itemValues(other.items, filter, metric)];
      const how: Aggregation = aggregations[aggregation];
      const paired = pairedBootstrap(how.rows(ours), how.rows(theirs), (sums) => how.score(sums), { ...options, resamples });
      const { score: difference, low, high } = paired.difference;
      return [
        {
          task: task.config.task,
          metric,
          filter,
          higherIsBetter,
          baseline: paired.baseline.score,
          system: paired.system.score,
          difference,
          low,
          high,
          pValue: Math.min(1, (2 * paired.oneSidedPValue * resamples + 1) / (resamples + 1)),
          ...(isRightOrWrong(ours) && isRightOrWrong(theirs) ? { mcnemar: mcnemarOf(ours, theirs) } : {}),
          numItems: ours.length,
        },
      ];
    });
  });
}

const sameItems = (a: TaskResult, b: TaskResult) =>
  a.items.length === b.items.length && a.items.every(({ doc }, i) => isDeepStrictEqual(doc, b.items[i]!.doc));

const isRightOrWrong = (values: readonly ItemValue[]): values is readonly (0 | 1)[] => values.every((value) => value === 0 || value === 1);

function mcnemarOf(baseline: readonly (0 | 1)[], system: readonly (0 | 1)[]) {
  const only = (first: readonly number[], second: readonly number[]) => first.filter((value, i) => value === 1 && second[i] === 0).length;
  const test = mcnemarOfItems(baseline.map(Boolean), system.map(Boolean));
  return { onlyBaseline: only(baseline, system), onlySystem: only(system, baseline), pValue: test.exact };
}
