/** Published claims, put to the test on real text: cells that can be resumed, verdicts with intervals, pages. */
export { type CellPool, CellProcesses } from "./cell-pool.ts";
export { notesOf, type Page, resultPage, withInterval } from "./page.ts";
export { type RecipeCell, runRecipeCell, sharedModel } from "./recipe-cell.ts";
export { findReproduction, type RegistryRow, reproductions } from "./registry.ts";
export {
  type Arm,
  type Cell,
  type CellContext,
  type ChartText,
  type Claim,
  type Curve,
  defineReproduction,
  type Expectation,
  type Measurement,
  type Reading,
  type Reproduction,
  ReproductionStopped,
  type Settings,
} from "./reproduction.ts";
export {
  type CellOf,
  type CellPlan,
  type CellProgress,
  type CellRecord,
  type JudgedClaim,
  type Outcome,
  type ReproduceOptions,
  reproduce,
} from "./run.ts";
export { studentT, studentTQuantile } from "./student-t.ts";
export { type RealText, realText, realTextNames } from "./text.ts";
export { documentScores, type Estimate, estimateClaim, interval, judge, type Verdict } from "./verdict.ts";
