export { kendallTauA, ranks, spearman } from "./correlation.ts";
export { aggregateScore, orderingConsistency, rescale, type TaskCurves, type TaskQuality, taskQuality } from "./finetasks.ts";
export {
  compareCorpora,
  type LanguageComparison,
  type PromptedCurves,
  type PromptedQuality,
  promptedQuality,
  rescalePoints,
  WINDOW_30BT,
  WINDOW_100BT,
  type WindowBounds,
} from "./hplt-e.ts";
export { type NamedCurves, parseTaskCurves } from "./parse.ts";
