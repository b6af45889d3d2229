export { contractToStars } from "./components.ts";
export { type Forecast, type ForecastInput, forecastDeduplication, measureSketchRate } from "./forecast.ts";
export {
  candidateProbability,
  hpltMinHash,
  MinHasher,
  type MinHashSettings,
  minHashSchema,
  similarityThreshold,
  type TextOfScript,
} from "./minhash.ts";
export { foldWordsPlain } from "./normalize.ts";
export { type DuplicateSettings, duplicateSchema, exactSchema, type Sketcher, sketcher } from "./sketch.ts";
export {
  type BucketCounts,
  type Candidate,
  type ClusterCounts,
  DEFAULT_MEMORY_BYTES,
  type Decision,
  duplicateDecisions,
  findClusters,
  mergeBucket,
  type SignatureCounts,
  writeSignatures,
} from "./stages.ts";
export { type DuplicatePlan, openDuplicateRun, paths as duplicatePaths } from "./workspace.ts";
