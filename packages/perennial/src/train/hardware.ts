import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { type Dtype, describeLibrary, noGrad, numThreads, scope, torch } from "@perennial/torch";

/** A value that was chosen automatically, with the reason. */
export interface Chosen<T> {
  readonly value: T;
  readonly because: string;
}

/** bfloat16 where the CPU multiplies it in hardware, float32 elsewhere: emulated bfloat16 is slower than float32. */
export function chooseAutocastDtype(wanted: "auto" | "float32" | "bfloat16"): Chosen<Dtype> {
  if (wanted !== "auto") return { value: wanted, because: "the recipe says so" };
  const flags = cpuFlags();
  const fast = ["amx_bf16", "avx512_bf16"].find((flag) => flags.has(flag));
  return fast === undefined
    ? { value: "float32", because: "this CPU has neither AVX512_BF16 nor AMX: bfloat16 would be emulated" }
    : { value: "bfloat16", because: `this CPU has ${fast.toUpperCase()}` };
}

function cpuFlags(): Set<string> {
  try {
    return new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.trim().split(/\s+/));
  } catch {
    return new Set();
  }
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
  };
}

const SIZE = 1024;

/** Floating point operations per second of a large matrix product here and now: the best of a few. Takes about 0.2 s. */
export function measurePeakFlops(dtype: Dtype): number {
  return noGrad(() =>
    scope(() => {
      const a = torch.randn([SIZE, SIZE]).to(dtype);
      const b = torch.randn([SIZE, SIZE]).to(dtype);
      let best = 0;
      for (let round = 0; round < 8; round++) {
        const start = performance.now();
        scope(() => a.matmul(b));
        best = Math.max(best, (2 * SIZE ** 3) / ((performance.now() - start) / 1000));
      }
      return best;
    }),
  );
}
