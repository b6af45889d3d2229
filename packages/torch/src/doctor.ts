/** What a machine's libtorch is and can do: the facts behind `perennial doctor`. */
import { availableParallelism, cpus } from "node:os";
import { noGrad } from "./autograd.ts";
import * as cuda from "./cuda/index.ts";
import type { Device, Dtype } from "./dtype.ts";
import { findLibtorch, type Installation } from "./install/index.ts";
import { native } from "./native.ts";
import { parseSchema, unreachableArgument } from "./schema.ts";
import { scope } from "./scope.ts";
import { describeLibrary, numThreads } from "./settings.ts";
import { torch } from "./torch.ts";

export interface Diagnosis {
  readonly version: string;
  readonly installation: Installation;
  readonly cpu: string;
  readonly cores: number;
  readonly threads: number;
  readonly cpuCapability: string;
  readonly blas: string;
  readonly cudaDevices: number;
  /** Name, memory and speed of each CUDA device. */
  readonly gpus: readonly { readonly name: string; readonly totalBytes: number; readonly bfloat16Flops: number }[];
  /** Why CUDA cannot be used; null when it can. */
  readonly cudaObstacle: string | null;
  /** Floating point operations per second of a 1024³ matrix product. */
  readonly float32Flops: number;
  readonly bfloat16Flops: number;
  readonly operators: number;
  /** Schemas with a type that cannot be passed from TypeScript, and that type. */
  readonly unreachable: readonly { readonly operator: string; readonly type: string }[];
  readonly warnings: readonly string[];
}

/** A reference BLAS reaches 2 to 4 GFLOP/s in all; a tuned one 20 and more on a single core. */
const SLOW_BLAS_FLOPS = 10e9;
const SIZE = 1024;

/** Looks the installation over and measures it; takes about a second. */
export function diagnose(): Diagnosis {
  const library = describeLibrary();
  const float32Flops = matrixFlops("float32");
  const bfloat16Flops = matrixFlops("bfloat16");
  const schemas = native.schemas().map(parseSchema);
  const unreachable = schemas.flatMap((schema) => {
    const bad = unreachableArgument(schema);
    return bad === undefined
      ? []
      : [{ operator: schema.overload === "" ? schema.name : `${schema.name}.${schema.overload}`, type: bad.type }];
  });
  const warnings: string[] = [];
  if (float32Flops < SLOW_BLAS_FLOPS)
    warnings.push(
      `float32 matrix products reach only ${gigaflops(float32Flops)}: this libtorch runs over a reference BLAS. Install OpenBLAS (apt-get install libopenblas0-pthread) or use the pinned libtorch (perennial-torch setup, without --system-libtorch).`,
    );
  if (bfloat16Flops < 0.8 * float32Flops)
    warnings.push(
      `bfloat16 is slower than float32 here (${gigaflops(bfloat16Flops)}): this CPU has no bfloat16 units, so training uses float32 unless told otherwise.`,
    );
  return {
    version: library.version,
    installation: findLibtorch(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    threads: numThreads(),
    cpuCapability: library.cpuCapability,
    blas: /BLAS_INFO=(\w+)/.exec(library.config)?.[1] ?? (library.hasMkl === 1 ? "mkl" : "unknown"),
    cudaDevices: library.cudaDevices,
    gpus: Array.from({ length: cuda.deviceCount() }, (_, index) => {
      const { name, totalBytes } = cuda.deviceProperties(index);
      return { name, totalBytes, bfloat16Flops: cuda.withDevice(index, () => matrixFlops("bfloat16", "cuda")) };
    }),
    cudaObstacle: cuda.unavailableBecause() ?? null,
    float32Flops,
    bfloat16Flops,
    operators: schemas.length,
    unreachable,
    warnings,
  };
}

export function formatDiagnosis(diagnosis: Diagnosis): string {
  const { installation: at, unreachable } = diagnosis;
  const rows: [string, string][] = [
    [
      "libtorch",
      `${diagnosis.version} from ${at.libtorch === undefined ? "an unknown place" : `${at.libtorch.source} (${at.libtorch.root})`}`,
    ],
    ["CPU", `${diagnosis.cpu}, ${diagnosis.cores} cores, ${diagnosis.threads} threads in use, kernels for ${diagnosis.cpuCapability}`],
    [
      "BLAS",
      `${diagnosis.blas}; matrix products: float32 ${gigaflops(diagnosis.float32Flops)}, bfloat16 ${gigaflops(diagnosis.bfloat16Flops)}`,
    ],
    ...(diagnosis.gpus.length === 0
      ? [["CUDA", `not in use: ${diagnosis.cudaObstacle}`] as [string, string]]
      : diagnosis.gpus.map(({ name, totalBytes, bfloat16Flops }, i): [string, string] => [
          `cuda:${i}`,
          `${name}, ${Math.round(totalBytes / 2 ** 30)} GiB; matrix products: bfloat16 ${gigaflops(bfloat16Flops)}`,
        ])),
    ["operators", `${diagnosis.operators} schemas, ${diagnosis.operators - unreachable.length} can be called`],
  ];
  const types = [...new Set(unreachable.map(({ type }) => type))];
  if (unreachable.length > 0)
    rows.push(["out of reach", `arguments of type ${types.slice(0, 6).join(", ")}${types.length > 6 ? " …" : ""} (--json lists them)`]);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(13)}${value}`),
    ...diagnosis.warnings.map((warning) => `warning      ${warning}`),
  ].join("\n");
}

const gigaflops = (flops: number) => `${(flops / 1e9).toFixed(flops < 1e10 ? 1 : 0)} GFLOP/s`;

function matrixFlops(dtype: Dtype, device: Device = "cpu"): number {
  const size = device === "cpu" ? SIZE : 8 * SIZE;
  const wait = device === "cpu" ? () => {} : () => cuda.synchronize();
  return noGrad(() =>
    scope(() => {
      const a = torch.ones([size, size], { dtype, device });
      let best = 0;
      for (let round = 0; round < 5; round++) {
        wait();
        const start = performance.now();
        scope(() => void a.matmul(a));
        wait();
        best = Math.max(best, (2 * size ** 3) / ((performance.now() - start) / 1000));
      }
      return best;
    }),
  );
}
