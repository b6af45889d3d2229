export {
  GENERIC_TABLE,
  type RehydrationOptions,
  type RehydrationTable,
  type RemovalBin,
  type RemovalCounts,
  rehydrationTable,
  removalBins,
  repetitions,
} from "./rehydrate.ts";
