export * from "./approximate-randomization.ts";
export * from "./bootstrap.ts";
export * from "./holm.ts";
export * from "./mcnemar.ts";
export { NumpyRandom } from "./numpy-random.ts";
export { type PairedBootstrap, pairedBootstrap } from "./paired-bootstrap.ts";
export type { ConfidenceInterval, ResampleOptions, ScoreOfSums, SegmentRows } from "./resample.ts";
export * from "./standard-error.ts";
