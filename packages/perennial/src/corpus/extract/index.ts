export { type Decoded, decodePage } from "./charset.ts";
export { type ExtractedText, type ExtractFailure, type ExtractSettings, extractSchema, extractText } from "./extract.ts";
