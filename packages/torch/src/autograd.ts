/** Automatic differentiation beyond `Tensor.backward`: modes, gradients as values, custom functions, checkpointing, checks. */
import { begin, beginReading, handOver, intern, putHandles, putWord, run, stringOf, take, takeWord } from "./call.ts";
import type { Device, Dtype } from "./dtype.ts";
import { native } from "./native.ts";
import { defaultGenerator, generatorState, setGeneratorState } from "./random.ts";
import { keep, scope } from "./scope.ts";
import { Tensor } from "./tensor.ts";
import { torch } from "./torch.ts";

/** Whether operations are being recorded. */
export const isGradEnabled = (): boolean => native.isGradEnabled();

function withGrad<T>(enabled: boolean, body: () => T): T {
  const set = (value: boolean) => {
    begin();
    putWord(value ? 1 : 0);
    return native.setGradEnabled();
  };
  const previous = set(enabled);
  try {
    return body();
  } finally {
    set(previous);
  }
}

/** Runs `body` without recording operations. */
export const noGrad = <T>(body: () => T): T => withGrad(false, body);
/** Runs `body` recording operations, inside `noGrad` as well. */
export const enableGrad = <T>(body: () => T): T => withGrad(true, body);

/** Runs `body` in inference mode: faster than `noGrad`, and its tensors can never take part in a graph. */
export function inferenceMode<T>(body: () => T): T {
  native.enterInferenceMode();
  try {
    return body();
  } finally {
    native.leaveInferenceMode();
  }
}

/**
 * Gradients of Σ outputs (or of Σ gradients · outputs) with respect to `inputs`, as values: no `.grad` changes.
 * Errors: an input that the outputs do not depend on, unless `allowUnused`; it then gives null.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: { gradients?: readonly (Tensor | null)[]; retainGraph?: boolean; createGraph?: boolean; allowUnused?: boolean } = {},
): (Tensor | null)[] {
  const list = outputs instanceof Tensor ? [outputs] : outputs;
  begin();
  putWord(options.retainGraph === true || options.createGraph === true ? 1 : 0);
  putWord(options.createGraph === true ? 1 : 0);
  putWord(options.allowUnused === true ? 1 : 0);
  putHandles(list);
  putHandles(options.gradients ?? list.map(() => null));
  putHandles(inputs);
  run(() => native.grad());
  beginReading();
  return Array.from({ length: takeWord() }, () => take() as Tensor | null);
}

/** Gradients of several outputs at once are added to the leaves. */
export function backward(
  outputs: readonly Tensor[],
  gradients?: readonly (Tensor | null)[],
  options: { retainGraph?: boolean } = {},
): void {
  begin();
  putWord(options.retainGraph === true ? 1 : 0);
  putWord(0);
  putHandles(outputs);
  putHandles(gradients ?? outputs.map(() => null));
  putHandles([]);
  run(() => native.backward());
}

/**
 * A function with a gradient of its own. `forward` computes outputs from inputs without recording; `backward` gets the
 * gradients of the outputs (null where there is none) and returns those of the inputs (null where there is none).
 * Both run in scopes: tensors that `backward` needs must be inputs, outputs, or passed to `keep`.
 */
export function customFunction<const Outputs extends readonly Tensor[]>(
  inputs: readonly Tensor[],
  forward: () => Outputs,
  backwardOf: (gradients: { readonly [Output in keyof Outputs]: Tensor | null }) => readonly (Tensor | null)[],
): Outputs {
  const outputs = noGrad(() => scope(forward));
  begin();
  putHandles(inputs);
  putHandles(outputs);
  run(() =>
    native.customFunction((handles) =>
      scope(() => {
        const gradients = handles.map((handle) => (handle < 0 ? null : new Tensor(handle))) as never;
        return backwardOf(gradients).map((gradient) => (gradient === null ? -1 : handOver(gradient)));
      }),
    ),
  );
  return outputs;
}

/**
 * Activation checkpointing: `body` runs without keeping its intermediate results and runs again during backward, under
 * the same autocast. Random numbers repeat, on the CPU and on the devices of `inputs`.
 */
export function checkpoint(body: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Tensor {
  if (!isGradEnabled()) return body(...inputs);
  const devices = [...new Set<Device>(["cpu", ...inputs.map((input) => input.device)])].filter((device) => device !== "meta");
  const generators = devices.map(defaultGenerator);
  const before = generators.map((generator) => keep(generatorState(generator)));
  const restore = (states: readonly Tensor[]) => {
    for (const [i, generator] of generators.entries()) setGeneratorState(generator, states[i]!);
  };
  const casts = devices.map((device) => ({ device, ...autocastState(device) }));
  const recompute = () =>
    casts.reduce<() => Tensor>(
      (inner, cast) => () => autocast(cast, inner),
      () => body(...saved),
    )();
  const saved = inputs.map((input) => keep(torch.alias(input.detach()).requiresGrad_(input.requiresGrad)));
  // An input that needs a gradient ties the function into the graph even when only inner leaves need one.
  const tie = inputs.some((input) => input.requiresGrad) ? undefined : torch.zeros([1]).requiresGrad_();
  const [output] = customFunction(
    tie === undefined ? inputs : [...inputs, tie],
    () => [body(...inputs.map((input) => input.detach()))],
    ([gradient]) => {
      const after = generators.map(generatorState);
      restore(before);
      const recomputed = enableGrad(recompute);
      restore(after);
      if (gradient !== null) backward([recomputed], [gradient!]);
      const gradients = saved.map((input) => input.grad);
      for (const tensor of [...saved, ...before]) tensor.dispose();
      return tie === undefined ? gradients : [...gradients, null];
    },
  );
  return output!;
}

/** Whether autocast is on for a kind of device, and to which dtype. */
export function autocastState(device: Device = "cpu"): { enabled: boolean; dtype: Dtype } {
  begin();
  putWord(intern(device));
  run(() => native.autocastState());
  beginReading();
  return { enabled: takeWord() !== 0, dtype: stringOf(takeWord()) as Dtype };
}

/** Runs `body` with matrix products and the like in `dtype`, as PyTorch's autocast does; `enabled: false` makes an exception inside. */
export function autocast<T>(options: { device?: Device; dtype?: Dtype; enabled?: boolean }, body: () => T): T {
  const device = options.device ?? "cpu";
  const write = (enabled: boolean, dtype: Dtype) => {
    begin();
    putWord(intern(device));
    putWord(enabled ? 1 : 0);
    putWord(intern(dtype));
  };
  write(options.enabled ?? true, options.dtype ?? "bfloat16");
  run(() => native.setAutocast());
  beginReading();
  const before = takeWord() !== 0;
  const dtypeBefore = stringOf(takeWord()) as Dtype;
  try {
    return body();
  } finally {
    write(before, dtypeBefore);
    native.restoreAutocast();
  }
}

/**
 * Compares the gradient of `f` with central differences at `inputs` (float64, requiring gradients).
 * Returns the largest |analytic − numeric| / max(1, |numeric|).
 */
export function gradientError(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[], step = 1e-6): number {
  return scope(() => {
    const gradients = grad(f(...inputs).sum(), inputs, { allowUnused: true });
    let worst = 0;
    for (const [n, input] of inputs.entries()) {
      const analytic = gradients[n] === null ? new Float64Array(input.numel) : (gradients[n]!.to("float64").toTypedArray() as Float64Array);
      const flat = input.detach().view([-1]);
      for (let i = 0; i < analytic.length; i++) {
        const numeric = scope(() => {
          const element = flat.at(i);
          const value = element.item();
          const evaluate = (x: number) =>
            noGrad(() => {
              element.fill_(x);
              return f(...inputs)
                .sum()
                .item();
            });
          const difference = (evaluate(value + step) - evaluate(value - step)) / (2 * step);
          noGrad(() => element.fill_(value));
          return difference;
        });
        worst = Math.max(worst, Math.abs(analytic[i]! - numeric) / Math.max(1, Math.abs(numeric)));
      }
    }
    return worst;
  });
}
