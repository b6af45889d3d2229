/** Corpora: from crawl to training text. One folder a step; see each for its own documentation. */
export * from "./anonymize/index.ts";
// Two steps decide about documents; the filters' word is the plain one.
export type { Decision as DuplicateDecision } from "./deduplicate/index.ts";
export * from "./deduplicate/index.ts";
export type * from "./document.ts";
export { languageLabel } from "./document.ts";
export * from "./extract/index.ts";
export type { Decision } from "./filter/index.ts";
export * from "./filter/index.ts";
export * from "./formats/index.ts";
export * from "./language/index.ts";
export * from "./launch/index.ts";
export * from "./precision/index.ts";
export * from "./rehydrate/index.ts";
export * from "./repair/index.ts";
export * from "./robots/index.ts";
export * from "./run/index.ts";
export * from "./score/index.ts";
export * from "./select-tasks/index.ts";
export * from "./thresholds/index.ts";
export * from "./warc/index.ts";
export * from "./words/index.ts";
