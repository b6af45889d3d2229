/** Plans: pilots, laws and a recommended mixture, from a base model, two corpora and a budget. */
export { loadPlan, planJsonSchema, resolvePlan } from "./load.ts";
export { goalText, planPage } from "./page.ts";
export { type PilotRun, type PilotRuns, pilotRuns, type Sharing, sharingOf } from "./pilot-runs.ts";
export { PlanInterrupted } from "./run-pilot.ts";
export { outlinePlan, type PlannedPilot, type PlanOptions, type PlanOutcome, type PlanOutline, runPlan } from "./run-plan.ts";
export { type PlanFile, type PlanFileSpec, planFileSchema } from "./schema.ts";
