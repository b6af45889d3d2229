import { cuda, fused } from "@perennial/torch";
import { expect, test } from "vitest";
import { chooseAutocastDtype, chooseDevice, measurePeakFlops, memoryOf } from "./hardware.ts";

test("the device that was asked for, or the one that is here, with the reason", () => {
  expect(chooseDevice("cpu")).toEqual({ value: "cpu", because: "it was asked for" });
  const { value, because } = chooseDevice("auto");
  expect(value).toBe(cuda.isAvailable() ? `cuda:${cuda.currentDevice()}` : "cpu");
  expect(because).not.toBe("");
  expect(memoryOf(value)).toBeGreaterThan(2 ** 28);
  expect(measurePeakFlops("float32", value)).toBeGreaterThan(1e9);
  expect(chooseAutocastDtype("float32", value).value).toBe("float32");
  expect(["float32", "bfloat16"]).toContain(chooseAutocastDtype("auto", value).value);
  // What was asked for is done, also where it is slow; then the reason says so.
  expect(chooseAutocastDtype("bfloat16", "cpu").value).toBe("bfloat16");
  expect(chooseAutocastDtype("bfloat16", "cpu").because.includes("computed from float32")).toBe(!fused.multipliesBf16());
  expect(chooseAutocastDtype("auto", "cpu").value).toBe(fused.multipliesBf16() ? "bfloat16" : "float32");
});

test.skipIf(cuda.isAvailable())("a GPU that was asked for and is not here is an error that says why", () => {
  expect(() => chooseDevice("cuda")).toThrow(
    `--device: expected a device that is here, received "cuda". CUDA cannot be used: ${cuda.unavailableBecause()}`,
  );
});
