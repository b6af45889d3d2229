/** Device tests run on the CPU and, where there is one, on a CUDA device. */
import { describe } from "vitest";
import { cuda, type Device } from "../src/index.ts";
import type { Closeness } from "./golden.ts";

export const devices: readonly Device[] = cuda.isAvailable() ? ["cpu", "cuda"] : ["cpu"];

/** Declares the same tests once for each device. */
export const forEachDevice = (body: (device: Device) => void): void => describe.each(devices)("on %s", body);

/** Golden values come from a CPU: another device sums in another order, and multiplies convolutions in TF32. */
export const closeOn = (device: Device, close: Closeness): Closeness =>
  device === "cpu" ? close : { ...close, relative: Math.max(close.relative ?? 0, 2e-3), absolute: Math.max(close.absolute ?? 0, 2e-4) };
