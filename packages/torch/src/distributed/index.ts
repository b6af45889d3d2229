/** Several processes that work together: process groups, collectives, data-parallel gradients. */
export * from "./environment.ts";
export * from "./gradient-reducer.ts";
export * from "./process-group.ts";
