export * from "./errors.ts";
export * from "./stream.ts";
