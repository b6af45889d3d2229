import type { Tensor } from "@perennial/torch";
import type { Decoder } from "../model/decoder.ts";

/** What a rule may look at around a step. All numbers are those of the whole step, over all processes. */
export interface StepView {
  /** Steps finished before this one, in this stage. */
  readonly step: number;
  /** Nats per target token. */
  readonly loss: number;
  /** Norm of the gradients before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly model: Decoder;
}

/** What a rule asks for, with the reason that people are told. `skip` leaves this step's update out. */
export interface Verdict {
  readonly action: "skip" | "rollback" | "stop";
  readonly reason: string;
}

/** A held-out measurement, as rules see it. */
export interface MeasurementView {
  readonly step: number;
  /** Bits per byte by corpus. */
  readonly bitsPerByte: ReadonlyMap<string, number>;
  /** Nats per token by corpus. */
  readonly losses: ReadonlyMap<string, number>;
  /** Bits per byte before the run. */
  readonly before: ReadonlyMap<string, number>;
}

/** What happens around a step? Rules run in the order of the recipe; their state is in the checkpoint. */
export interface Rule {
  readonly name: string;
  /** Gradients are there, nothing has moved. */
  beforeUpdate?(view: StepView): Verdict | undefined;
  /** The parameters have moved. */
  afterUpdate?(view: StepView): void;
  /** Held-out text was measured. */
  afterMeasurement?(view: MeasurementView): Verdict | undefined;
  /** Plain JSON. */
  state?(): unknown;
  restore?(state: unknown): void;
  /** Tensors to be saved beside it, by name. */
  tensors?(): ReadonlyMap<string, Tensor>;
}
