/** CUDA graphs: a step captured once is launched as a whole, without a call per kernel. */
import { begin, putWord, run } from "../call.ts";
import { native } from "../native.ts";
import { keep, scope } from "../scope.ts";
import { Tensor } from "../tensor.ts";
import { Stream, withStream } from "./stream.ts";

/** A captured body: `replay()` repeats its work on the very same memory. */
export interface CapturedGraph<Outputs> {
  /** What the body returned. `replay` overwrites these tensors; they live until `dispose`. */
  readonly outputs: Outputs;
  /** Asks the current stream for everything that the body asked for. Does not wait. */
  replay(): void;
  dispose(): void;
}

const finalizer = new FinalizationRegistry<number>((handle) => onGraph(handle, () => native.releaseGraph()));

function onGraph(handle: number, body: () => void): void {
  begin();
  putWord(handle);
  run(body);
}

let capturing = false;

/** Whether work is being recorded now instead of run. */
export const isCapturing = (): boolean => capturing;

/**
 * Captures the work of `body`. It first runs `warmups` times for real, on a stream beside, so that libraries are set up and
 * the optimizer has its state; then once more, recorded and not run. The rules are CUDA's: inputs are tensors that are
 * overwritten between replays (`copy_`), shapes and addresses stay, and nothing in `body` may wait for the device (`item`,
 * `toTypedArray`, copies from ordinary memory) or depend on JavaScript that changes: what `body` computed in JavaScript is
 * not computed again. Errors: such a wait, with what libtorch says about it; the device is then as before.
 */
export function capture<Outputs>(body: () => Outputs, options: { warmups?: number } = {}): CapturedGraph<Outputs> {
  const main = Stream.current();
  const side = new Stream();
  side.waitForStream(main);
  withStream(side, () => {
    for (let i = 0; i < (options.warmups ?? 3); i++) scope(() => void body());
    side.synchronize();
  });
  const [handle, outputs] = withStream(side, () => record(body));
  main.waitForStream(side);
  let live = true;
  const graph: CapturedGraph<Outputs> = {
    outputs,
    replay() {
      if (!live) throw new Error("This captured graph was disposed of.");
      onGraph(handle, () => native.replayGraph());
    },
    dispose() {
      if (!live) return;
      live = false;
      finalizer.unregister(graph);
      for (const tensor of tensorsOf(outputs)) tensor.dispose();
      onGraph(handle, () => native.releaseGraph());
    },
  };
  finalizer.register(graph, handle, graph);
  return graph;
}

function record<Outputs>(body: () => Outputs): [handle: number, outputs: Outputs] {
  const handle = run(() => native.beginCapture());
  capturing = true;
  try {
    const outputs = scope(body);
    for (const tensor of tensorsOf(outputs)) keep(tensor);
    onGraph(handle, () => native.endCapture());
    return [handle, outputs];
  } catch (error) {
    onGraph(handle, () => native.abandonCapture());
    onGraph(handle, () => native.releaseGraph());
    throw error;
  } finally {
    capturing = false;
  }
}

const tensorsOf = (value: unknown): Tensor[] =>
  value instanceof Tensor
    ? [value]
    : typeof value === "object" && value !== null && !ArrayBuffer.isView(value)
      ? Object.values(value).flatMap(tensorsOf)
      : [];
