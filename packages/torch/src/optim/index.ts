/** Optimizers over parameter groups, and gradient clipping. */
export { Adafactor, type AdafactorSettings } from "./adafactor.ts";
export { AdamW, type AdamWSettings } from "./adamw.ts";
export { clipGradNorm, gradNorm } from "./clip.ts";
export { Muon, type MuonSettings, orthogonalize } from "./muon.ts";
export { Optimizer, type OptimizerState, type ParameterGroup, type Parameters } from "./optimizer.ts";
export { SGD, type SGDSettings } from "./sgd.ts";
