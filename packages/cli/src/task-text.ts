/** What evaluating on tasks looks like at a terminal. Pure functions make the text. */
import type { TaskComparison, TasksResult } from "perennial/evaluate/tasks";
import { printable, table } from "./text.ts";

/** Four digits behind the point; a perplexity can be too large for that. */
function number(value: number): string {
  const size = Math.abs(value);
  return size >= 1e6 ? value.toExponential(3) : value.toFixed(size >= 100 ? 1 : 4);
}

const arrow = (higherIsBetter: boolean) => (higherIsBetter ? "↑" : "↓");

/** One line per task and metric, then one per group and metric. */
export function resultsTable({ tasks, groups }: TasksResult): string {
  const rows = tasks.flatMap(({ config, numFewshot, items, scores }) =>
    scores.map(({ metric, filter, higherIsBetter, value, standardError }, i) => [
      i === 0 ? printable(config.alias) : "",
      i === 0 ? String(items.length) : "",
      i === 0 ? String(numFewshot) : "",
      filter === "none" ? printable(metric) : `${printable(metric)}, ${printable(filter)}`,
      arrow(higherIsBetter),
      number(value),
      standardError === null ? "" : `± ${number(standardError)}`,
    ]),
  );
  const better = new Map(tasks.flatMap(({ metrics }) => metrics.map(({ name, higherIsBetter }) => [name, higherIsBetter] as const)));
  const ofGroups = groups.flatMap(({ group, scores }) =>
    scores.map(({ metric, filter, value, standardError, numItems }, i) => [
      i === 0 ? printable(group.alias) : "",
      String(numItems),
      "",
      filter === "none" ? printable(metric) : `${printable(metric)}, ${printable(filter)}`,
      arrow(better.get(metric) ?? true),
      number(value),
      standardError === null ? "" : `± ${number(standardError)}`,
    ]),
  );
  const head = ["task", "items", "examples", "metric", "", "value", "error"];
  const right = [1, 2, 5];
  return table(head, rows, right) + (ofGroups.length === 0 ? "" : `\n${table(["group", ...head.slice(1)], ofGroups, right)}`);
}

/** Both models, their difference with its 95 % interval, and what the tests say. */
export function comparisonTable(comparisons: readonly TaskComparison[], baseline: string, system: string): string {
  const rows = comparisons.map((each, i) => [
    each.task === comparisons[i - 1]?.task ? "" : printable(each.task),
    each.filter === "none" ? printable(each.metric) : `${printable(each.metric)}, ${printable(each.filter)}`,
    arrow(each.higherIsBetter),
    number(each.baseline),
    number(each.system),
    `${each.difference >= 0 ? "+" : "−"}${number(Math.abs(each.difference))}`,
    `${number(each.low)} … ${number(each.high)}`,
    each.pValue.toFixed(3),
    each.mcnemar === undefined ? "" : `${each.mcnemar.onlyBaseline} : ${each.mcnemar.onlySystem}, p ${each.mcnemar.pValue.toFixed(3)}`,
  ]);
  const head = ["task", "metric", "", printable(baseline), printable(system), "difference", "95 %", "p", "right in one only"];
  return table(head, rows, [3, 4, 5, 7]);
}
