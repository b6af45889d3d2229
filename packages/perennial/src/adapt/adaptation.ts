import type { Tensor } from "@perennial/torch";

/** Parameters that share an optimizer setting. */
export interface ParameterSet {
  readonly name: string;
  readonly parameters: readonly Tensor[];
  /** Overrides the optimizer's own weight decay. */
  readonly weightDecay?: number;
  /** Multiplies the schedule's learning rate. */
  readonly learningRateScale?: number;
}

/** Which parameters move, and in which shape? */
export interface Adaptation {
  readonly name: string;
  readonly parameterSets: readonly ParameterSet[];
}
