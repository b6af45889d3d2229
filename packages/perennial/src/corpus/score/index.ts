export { type CharacterCounts, countCharacters } from "./character-classes.ts";
export { hplt, hpltSchema, webDocsScoreFilter, webDocsScoreSchema } from "./hplt-filters.ts";
export { expectedCompression, informativeness, openZstdSize } from "./informativeness.ts";
export { type LanguageProfile, languageProfiles, type Medians, PUBLISHED_MEDIANS } from "./language-profile.ts";
export { measureMedians } from "./measure-medians.ts";
export { piiOffsets, type Range } from "./pii-offsets.ts";
export { docScores, type ScoredText, type ScorerOptions, type WebDocsScore, webDocsScorer } from "./web-docs-scorer.ts";
