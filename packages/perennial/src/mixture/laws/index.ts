export * from "./bootstrap.ts";
export * from "./cmr.ts";
export type { CmrData } from "./cmr-curves.ts";
export type { RatioVerdict } from "./cmr-verdict.ts";
export * from "./cross-validation.ts";
export * from "./d-cpt.ts";
export * from "./d-cpt-cross-domain.ts";
export {
  type DcptFit,
  type DcptFitOptions,
  type DcptForm,
  type DcptQuery,
  type DcptUnits,
  type Dimension,
  type FittedStart,
  fitDcpt,
  type LawPrediction,
  predictDcpt,
  startGrid,
} from "./d-cpt-fit.ts";
export * from "./d-cpt-uses.ts";
export * from "./goodness.ts";
export { huber } from "./huber.ts";
export { keepingGeneral, type LossCurves, type TradeOffPoint, tradeOff } from "./mixture-choice.ts";
export * from "./pilots.ts";
export * from "./plan.ts";
export type { LossPoint, ValueRange } from "./points.ts";
export * from "./power-law.ts";
export * from "./turning-point.ts";
export * from "./verify.ts";
export * from "./views.ts";
