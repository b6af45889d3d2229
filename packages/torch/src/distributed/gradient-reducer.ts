/** Sums gradients over all processes while backward still runs. */
import { begin, putHandles, putWord } from "../call.ts";
import { native } from "../native.ts";
import type { Tensor } from "../tensor.ts";
import type { ProcessGroup } from "./process-group.ts";

export interface GradientReducerOptions {
  /** Gradients travel together up to this size; default 25 MB. */
  readonly bucketBytes?: number;
  /**
   * Send buckets during backward (default). Not for parameters that several checkpointed parts share: they receive
   * gradients at several moments of one backward.
   */
  readonly overlap?: boolean;
}

const DEFAULT_BUCKET_BYTES = 25 * 2 ** 20;

/**
 * The gradients of data-parallel training: after `finish()`, `grad` of every parameter is the sum over all processes,
 * and null where no process had one. All processes pass the same parameters in the same order.
 *
 *     for (const [i, batch] of batches.entries()) {
 *       if (i === batches.length - 1) reducer.begin();   // accumulate first, send once
 *       loss(batch).backward();
 *     }
 *     reducer.finish();
 */
export class GradientReducer {
  private readonly group: ProcessGroup;
  private readonly handle: number;

  constructor(group: ProcessGroup, parameters: readonly Tensor[], options: GradientReducerOptions = {}) {
    this.group = group;
    begin();
    putWord(group.id);
    putWord(options.bucketBytes ?? DEFAULT_BUCKET_BYTES);
    putWord(options.overlap === false ? 0 : 1);
    putHandles(parameters);
    this.handle = group.guard("GradientReducer", () => native.createReducer());
  }

  /** The backward that follows is the last one of the step: its gradients are complete when they arrive. */
  begin(): void {
    this.write();
    this.group.guard("GradientReducer.begin", () => native.beginReduction());
  }

  /** Sends what is left and waits for the sums. Without `begin()` everything is sent here. */
  finish(): void {
    this.write();
    this.group.guard("GradientReducer.finish", () => native.finishReduction());
  }

  /** Takes the hooks off the parameters. */
  dispose(): void {
    this.write();
    native.releaseReducer();
  }

  private write(): void {
    begin();
    putWord(this.handle);
  }
}
