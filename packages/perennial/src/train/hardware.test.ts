import { cuda } from "@perennial/torch";
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
});

test.skipIf(cuda.isAvailable())("a GPU that was asked for and is not here is an error that says why", () => {
  expect(() => chooseDevice("cuda")).toThrow(
    `--device: expected a device that is here, received "cuda". CUDA cannot be used: ${cuda.unavailableBecause()}`,
  );
});
