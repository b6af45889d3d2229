import type { Tensor } from "@perennial/torch";
import type { Batch } from "../mixture/source.ts";
import type { Decoder } from "../model/decoder.ts";

/** What one pass over a micro-batch gives. */
export interface ObjectiveResult {
  /** Scalar, with a graph: what backward starts from, before the division by the step's target tokens. */
  readonly lossSum: Tensor;
  /** Nats over the labels that count, without penalties: what is reported. A scalar without a graph. */
  readonly reported: Tensor;
}

/** A batch → a loss. The loop divides sums by the target tokens of the whole step, so that accumulation is exact. */
export interface Objective {
  readonly name: string;
  lossSum(model: Decoder, batch: Batch, options: { activationCheckpointing: boolean }): ObjectiveResult;
}
