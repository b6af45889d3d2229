export * from "./edit-distance.ts";
export * from "./error-rate.ts";
