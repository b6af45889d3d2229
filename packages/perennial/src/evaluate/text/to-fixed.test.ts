import { expect, test } from "vitest";
import { toFixedHalfEven } from "./to-fixed.ts";

test.each([
  [31.25, 1, "31.2"],
  [31.75, 1, "31.8"],
  [1.15, 1, "1.1"],
  [1.45, 1, "1.4"],
  [0.125, 2, "0.12"],
  [2.5, 0, "2"],
  [3.5, 0, "4"],
  [0, 2, "0.00"],
])("%f with %i digits is what Python prints", (value, digits, text) => expect(toFixedHalfEven(value, digits)).toBe(text));
