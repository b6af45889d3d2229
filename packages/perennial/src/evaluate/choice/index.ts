export * from "./brier.ts";
export * from "./choice.ts";
export * from "./group.ts";
