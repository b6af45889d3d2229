export { type Decoded, decodePage } from "./charset.ts";
export { type ExtractedText, type ExtractFailure, type ExtractSettings, extractSchema, extractText } from "./extract.ts";
export { type Article, pageTemplates, wrapArticle } from "./sample-pages.ts";
export { type WordScores, wordScores } from "./word-scores.ts";
