export { ADAPTATION_METHODS, type AdaptationInput, type AdaptationMethod, adapt } from "./adapt.ts";
export { fineweb2ConfigSchema, fromFineweb2Config } from "./fineweb2-config.ts";
export { languageScore, languageScoreThreshold } from "./language-score.ts";
export {
  englishThresholds,
  type FilterGroup,
  type FitInput,
  fitThresholds,
  type LanguageThresholds,
  languageFilters,
  languageThresholdsSchema,
  profileOf,
  type References,
  replay,
} from "./language-thresholds.ts";
export { type CleaningOptions, cleanArticle, Reference, type StoredReference, shareInScript } from "./reference.ts";
export { stopWords } from "./stop-words.ts";
