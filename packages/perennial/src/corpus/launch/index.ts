export { type SlurmOptions, type SubmittedStage, slurmScript, submitToSlurm } from "./slurm.ts";
