/**
 * What cells cost, before they run: where a cell of the same arm is known, as much as that; else the measured minutes of the reproduction,
 * shared equally by its cells, times the factors on tokens and on the cost of a token of a wider model:
 *   seconds = 60 · minutes/(3 · arms) · tokens · max(1, width/64)^1.3
 * The exponent was measured between widths of 64 and 192: small products become faster as they grow.
 */
import type { Reproduction, Settings } from "./reproduction.ts";

interface KnownCell {
  readonly arm: string;
  readonly seconds: number;
}

const SEEDS = 3;
const WIDTH = 64;
const WIDTH_EXPONENT = 1.3;

/** Of all the arms named (one that is named twice is run twice), on one thread. */
export function secondsOfCells(
  { minutes, arms }: Pick<Reproduction, "minutes" | "arms">,
  { tokens, width }: Settings,
  missing: readonly string[],
  known: readonly KnownCell[],
): number {
  const typical = ((60 * minutes) / (SEEDS * arms.length)) * tokens * Math.max(1, width / WIDTH) ** WIDTH_EXPONENT;
  const secondsOf = (arm: string) => {
    const alike = known.filter((cell) => cell.arm === arm);
    return alike.length === 0 ? typical : alike.reduce((sum, { seconds }) => sum + seconds, 0) / alike.length;
  };
  return missing.reduce((sum, arm) => sum + secondsOf(arm), 0);
}
