/**
 * Scores of groups from those of their tasks, n_i items each (Σ n_i = N, T tasks), standard errors e_i:
 *   weighted by size   Σ n_i x_i / N,   error √( Σ (n_i − 1) n_i e_i² / (N − T) / N )
 *   not                Σ x_i / T,       error √( Σ e_i² ) / T
 * An error only where every task has one.
 */
import type { TaskResult } from "./run-task.ts";
import { leafTasks, type TaskGroup } from "./task-index.ts";

export interface GroupScore {
  readonly metric: string;
  readonly filter: string;
  readonly value: number;
  readonly standardError: number | null;
  /** Items of the tasks that have the metric. */
  readonly numItems: number;
}

export interface GroupResult {
  readonly group: TaskGroup;
  readonly numItems: number;
  readonly scores: readonly GroupScore[];
}

/** Of a group and all groups inside it, the inner ones first. */
export function groupResults(group: TaskGroup, byTask: ReadonlyMap<string, TaskResult>): GroupResult[] {
  const inner = group.children.flatMap((child) => (typeof child === "string" ? [] : groupResults(child, byTask)));
  const tasks = leafTasks(group).flatMap((name) => byTask.get(name) ?? []);
  const scores = group.metrics.flatMap(({ metric, filters, weightBySize }) => {
    const all = tasks.flatMap((task) => task.scores.filter((score) => score.metric === metric).map(({ filter }) => filter));
    return (filters ?? [...new Set(all)].sort()).flatMap((filter) => groupScore(tasks, metric, filter, weightBySize));
  });
  return [...inner, { group, numItems: tasks.reduce((sum, { items }) => sum + items.length, 0), scores }];
}

function groupScore(tasks: readonly TaskResult[], metric: string, filter: string, weightBySize: boolean): GroupScore[] {
  const found = tasks.flatMap(({ scores, items }) => {
    const score = scores.find((candidate) => candidate.metric === metric && candidate.filter === filter);
    return score === undefined ? [] : [{ ...score, size: items.length }];
  });
  if (found.length === 0) return [];
  const [total, count] = [found.reduce((sum, { size }) => sum + size, 0), found.length];
  const weight = ({ size }: { size: number }) => (weightBySize ? size / total : 1 / count);
  const value = found.reduce((sum, score) => sum + weight(score) * score.value, 0);
  const errors = found.map(({ standardError, size }) => ({ error: standardError, size }));
  let standardError: number | null = null;
  if (errors.every(({ error }) => error !== null)) {
    const squares = errors.reduce((sum, { error, size }) => sum + (weightBySize ? (size - 1) * size : 1) * error! ** 2, 0);
    standardError = weightBySize ? Math.sqrt(squares / (total - count) / total) : Math.sqrt(squares) / count;
  }
  return [{ metric, filter, value, standardError, numItems: total }];
}
