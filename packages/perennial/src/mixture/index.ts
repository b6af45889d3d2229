export { BatchBuilder, IGNORED } from "./batch.ts";
export { Blend, type BlendKind } from "./blend.ts";
export { cosine, type Domain, randomOrder, similarOrder } from "./domain-order.ts";
export { ExperienceReplay, type ExperienceReplayOptions, REPLAYED } from "./experience-replay.ts";
export * from "./laws/index.ts";
export { type AchievedShare, type MixtureEntry, type MixtureOptions, MixtureSource } from "./mixture-source.ts";
export * from "./order/index.ts";
export { makeOrder, type Order, type OrderSpec } from "./order.ts";
export { type Attention, type PackedCorpus, type PackingOptions, pack, type SequenceCounts } from "./packing.ts";
export { Permutation } from "./permutation.ts";
export { type ReplayOptions, replayShares, type SeenSource, withReplay } from "./replay.ts";
export { ReplayBuffer, type ReplayBufferOptions, type ReplayBufferState } from "./replay-buffer.ts";
export {
  type EvaluationBatch,
  type EvaluationOptions,
  type EvaluationSegment,
  evaluationBatches,
  type RollingWindow,
  rollingWindows,
} from "./rolling-windows.ts";
export * from "./sampling-weights/index.ts";
export * from "./selection/index.ts";
export { normalize, type ShareChange, ShareSchedule, type Shares, sharesBySize } from "./shares.ts";
export type { Batch, Source, SourceState } from "./source.ts";
export * from "./transforms/index.ts";
