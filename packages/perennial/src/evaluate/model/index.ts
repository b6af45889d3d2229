/** Measurements of a model on text. */
export { evaluateHeldOut, type HeldOutOptions, type HeldOutResult } from "./held-out.ts";
