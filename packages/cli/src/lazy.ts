/** Parts that a verb loads only when it really runs, so that `--help` answers at once. */
// The compiler rewrites the endings of dynamic imports beside a file, not of those above it: hence this file.
export const loadTrainRecipe = () => import("./train-recipe.ts");
export const loadRunPlan = () => import("./run-plan.ts");
export const loadPlanText = () => import("./plan-text.ts");
export const loadCorpusDisplay = () => import("./corpus-display.ts");
export const loadCorpusSlurm = () => import("./corpus-slurm.ts");
export const loadProgress = () => import("./progress.ts");
export const loadEvaluateTasks = () => import("./evaluate-tasks.ts");
