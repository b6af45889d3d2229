import { availableParallelism, cpus, totalmem } from "node:os";
import { cuda, type Device, type Dtype, describeLibrary, fused, noGrad, numThreads, scope, torch } from "@perennial/torch";
import { FieldError } from "../errors.ts";

/** A value that was chosen automatically, with the reason. */
export interface Chosen<T> {
  readonly value: T;
  readonly because: string;
}

/** The compute capability from which on NVIDIA GPUs multiply bfloat16. */
const AMPERE = 8;

/** `auto`: a GPU where there is one. Errors: "cuda" without one, with the reason. */
export function chooseDevice(wanted: "auto" | "cpu" | "cuda"): Chosen<Device> {
  if (wanted === "cpu") return { value: "cpu", because: "it was asked for" };
  const obstacle = cuda.unavailableBecause();
  if (obstacle === undefined) {
    const index = cuda.currentDevice();
    return { value: `cuda:${index}`, because: `this machine has ${cuda.deviceProperties(index).name}` };
  }
  if (wanted === "auto") return { value: "cpu", because: obstacle };
  throw new FieldError("DEVICE", {
    at: "--device",
    expected: "a device that is here",
    received: "cuda",
    todo: `CUDA cannot be used: ${obstacle}`,
  });
}

/** bfloat16 where the hardware multiplies it, float32 elsewhere: bfloat16 from widened float32 is slower than float32. */
export function chooseAutocastDtype(wanted: "auto" | "float32" | "bfloat16", device: Device = "cpu"): Chosen<Dtype> {
  const onCpu = !device.startsWith("cuda");
  if (wanted === "bfloat16" && onCpu && !fused.multipliesBf16())
    return { value: wanted, because: "the recipe says so; this CPU has no units for it, so that its products are computed from float32" };
  if (wanted !== "auto") return { value: wanted, because: "the recipe says so" };
  if (onCpu)
    return fused.multipliesBf16()
      ? { value: "bfloat16", because: "this CPU has bfloat16 units" }
      : { value: "float32", because: "this CPU has neither AVX512_BF16 nor AMX to multiply bfloat16 with" };
  const { name, major } = cuda.deviceProperties();
  return major >= AMPERE
    ? { value: "bfloat16", because: `${name} has bfloat16 units` }
    : { value: "float32", because: `${name} is older than Ampere and has no bfloat16 units` };
}

/** What a run notes about the machine. */
export function describeHardware(): Record<string, unknown> {
  const { version, cpuCapability, hasMkl, cudaDevices } = describeLibrary();
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    threads: numThreads(),
    memoryBytes: totalmem(),
    libtorch: version,
    cpuCapability,
    blas: hasMkl === 1 ? "mkl" : "other",
    cudaDevices,
    ...(cudaDevices > 0 ? { gpu: cuda.deviceProperties().name } : {}),
  };
}

/** Memory that a training process of its own may take there, in bytes. */
export const memoryOf = (device: Device): number => (device.startsWith("cuda") ? cuda.deviceProperties().totalBytes : totalmem());

/**
 * Floating point operations per second of a large matrix product here and now: the best of a few. Takes about 0.2 s.
 * A CPU without bfloat16 units is measured in float32, of which it makes its bfloat16 products.
 */
export function measurePeakFlops(dtype: Dtype, device: Device = "cpu"): number {
  const onGpu = device.startsWith("cuda");
  const size = onGpu ? 8192 : 1024;
  const type = onGpu || dtype !== "bfloat16" || fused.multipliesBf16() ? dtype : "float32";
  return noGrad(() =>
    scope(() => {
      const a = torch.randn([size, size], { device }).to(type);
      const b = torch.randn([size, size], { device }).to(type);
      let best = 0;
      for (let round = 0; round < 8; round++) {
        if (onGpu) cuda.synchronize();
        const start = performance.now();
        scope(() => void a.matmul(b));
        if (onGpu) cuda.synchronize();
        best = Math.max(best, (2 * size ** 3) / ((performance.now() - start) / 1000));
      }
      return best;
    }),
  );
}
