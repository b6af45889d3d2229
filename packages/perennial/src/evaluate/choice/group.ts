/**
 * The score of a group of tasks: the mean weighted by task size (micro, the default of the field) or the plain mean of tasks (macro).
 * The standard error pools the tasks' sample variances, as lm-evaluation-harness does: with sizes n_i and standard errors e_i
 *   √( Σ (n_i − 1) n_i e_i² / (N − T) / N ),   N = Σ n_i, T tasks
 */
import type { MeanWithError } from "./choice.ts";

export function groupMean(tasks: readonly MeanWithError[], weighting: "micro" | "macro" = "micro"): MeanWithError {
  const count = tasks.reduce((sum, task) => sum + task.count, 0);
  const weight = (task: MeanWithError) => (weighting === "micro" ? task.count / count : 1 / tasks.length);
  const squares = tasks.reduce((sum, task) => sum + (task.count - 1) * task.count * task.standardError ** 2, 0);
  return {
    mean: tasks.reduce((sum, task) => sum + weight(task) * task.mean, 0),
    standardError: Math.sqrt(squares / (count - tasks.length) / count),
    count,
  };
}
