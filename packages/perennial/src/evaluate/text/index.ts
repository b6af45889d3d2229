export * from "./to-fixed.ts";
export * from "./whitespace.ts";
