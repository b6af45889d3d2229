/** The caching allocator of a device, and pinned memory of the host. */
import { run } from "../call.ts";
import { type AllocatorStats, native } from "../native.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { withIndex } from "./device.ts";

/** What tensors and the cache take on a device; default: the current one. Needs libtorch 2.10. */
export const memoryStats = (index?: number): AllocatorStats => withIndex(index, () => native.allocatorStats());

/** Peaks count from now on. */
export const resetPeakMemory = (index?: number): void => withIndex(index, () => native.resetPeakStats());

/** Gives memory that no tensor uses back to the devices; others can take it, and the next steps must ask for it again. */
export const emptyCache = (): void => run(() => native.emptyCache());

/**
 * A copy of a CPU tensor in page-locked memory, which a device reads by itself: `pin(x).to({ device: "cuda", nonBlocking:
 * true })` returns before the copy is done, and later work on the same stream waits for it. The pinned tensor must live,
 * unchanged, until then: `recordStream` does not cover it, libtorch's own host allocator does.
 */
export const pin = (tensor: Tensor): Tensor => torch.pinMemory(tensor);
