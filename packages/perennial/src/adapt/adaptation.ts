import type { Tensor } from "@perennial/torch";

/** Parameters, or rows of them, that share an optimizer setting. */
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
  /** What the optimizer moves. */
  readonly parameterSets: readonly ParameterSet[];
  /** Where what moves changes during a stage, or is part of a parameter only; otherwise all of the sets, always. */
  readonly parts?: MovingParts;
}

export interface MovingParts {
  /** Before a step, counted from 0 in the stage: the whole parameters that need gradients in it. The same array while they are the same. */
  begin(step: number): readonly Tensor[];
  /** Backward is done: the gradients of whole parameters become those of the parts that move in this step. Returns their common norm. */
  shareGradients(): Tensor;
  /** The loop is left: every parameter is as it was before the first `begin`. */
  end(): void;
}
