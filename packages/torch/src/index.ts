/**
 * @perennial/torch: libtorch for TypeScript. Every operator (typed, found by libtorch's own schemas), autograd,
 * modules, optimizers, safetensors and collectives; memory is managed by scopes.
 */
import "./tensor-members.ts";

export * from "./autograd.ts";
export * from "./creation.ts";
export * as cuda from "./cuda/index.ts";
export * as distributed from "./distributed/index.ts";
export { type Diagnosis, diagnose, formatDiagnosis } from "./doctor.ts";
export * from "./dtype.ts";
export * from "./errors.ts";
export * as fused from "./fused/index.ts";
export type { Functions } from "./generated/functions.ts";
export type { Index } from "./indexing.ts";
export type { AllocatorStats, LibraryDescription } from "./native.ts";
export * as nn from "./nn/index.ts";
export { callOperator, type Options, operator } from "./operators.ts";
export * as optim from "./optim/index.ts";
export * from "./random.ts";
export * from "./safetensors/index.ts";
export { keep, liveTensors, memory, openScope, scope } from "./scope.ts";
export * from "./settings.ts";
export { debugDisposal, Tensor } from "./tensor.ts";
export type { Conversion } from "./tensor-members.ts";
export { torch } from "./torch.ts";
