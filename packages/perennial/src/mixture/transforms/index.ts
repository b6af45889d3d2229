export * from "./bilingual.ts";
export * from "./bitext-filter.ts";
export * from "./monolingual-filter.ts";
export * from "./parallel.ts";
export * from "./parallel-selection.ts";
export * from "./synthetic-prompts.ts";
export * from "./synthetic-questions.ts";
export * from "./templates.ts";
