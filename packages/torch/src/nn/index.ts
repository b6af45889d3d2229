/** Modules, initializers and losses. */
export * from "./attention.ts";
export * as init from "./init.ts";
export * from "./layers.ts";
export { fixedRows, linear } from "./linear.ts";
export * from "./losses.ts";
export { buffer, Module, parameter, type StateDict } from "./module.ts";
