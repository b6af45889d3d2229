/** NVIDIA GPUs: devices, streams, events, memory and captured graphs. Tensors get there by `x.to("cuda")`. */
export {
  type CudaProperties,
  currentDevice,
  deviceCount,
  deviceProperties,
  isAvailable,
  setDevice,
  synchronize,
  unavailableBecause,
  withDevice,
} from "./device.ts";
export { Event } from "./event.ts";
export { type CapturedGraph, capture, isCapturing } from "./graph.ts";
export { emptyCache, memoryStats, pin, resetPeakMemory } from "./memory.ts";
export { recordStream, Stream, withStream } from "./stream.ts";
