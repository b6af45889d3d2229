export { FastTextModel, type LabelScore } from "./fasttext.ts";
export { type Identification, type IdentifySettings, identifySchema, LanguageIdentifier, lettersOnly } from "./identify.ts";
export { type LanguageLabel, languageCode, languageOf } from "./labels.ts";
export { dominantScript, scriptCounts } from "./script.ts";
export { type ScoreCounts, ScoreHistogram } from "./threshold.ts";
