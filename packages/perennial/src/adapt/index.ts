/** Adaptations: which parameters move, and in which shape. */
export type { Adaptation, ParameterSet } from "./adaptation.ts";
export { full } from "./full.ts";
