export * from "./early-stop.ts";
export * from "./forgetting-bound.ts";
export { initialLossSpikeState, judgeLoss, type LossSpikeOptions, type LossSpikeState, type LossVerdict } from "./loss-spike.ts";
export { type ReptileOptions, reptile } from "./reptile.ts";
export * from "./weight-average.ts";
