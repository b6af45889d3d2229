import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { initialEarlyStopState, observeForEarlyStop } from "./early-stop.ts";
import { judgeForgetting } from "./forgetting-bound.ts";
import { initialLossSpikeState, judgeLoss, type LossSpikeOptions, median } from "./loss-spike.ts";
import { averageKeep, averageShare, decayOfHalfLife, type WeightAverage } from "./weight-average.ts";

describe("loss spike", () => {
  const options: LossSpikeOptions = { criterion: { ratio: 2 }, windowSteps: 4, maxConsecutive: 3 };
  const verdicts = (losses: readonly number[], given = options) => {
    let state = initialLossSpikeState;
    return losses.map((loss) => {
      const judged = judgeLoss(given, JSON.parse(JSON.stringify(state)), loss);
      state = judged.state;
      return judged.verdict.kind;
    });
  };

  test("a loss above twice the median is a spike, at twice it is not", () => {
    expect(verdicts([1, 1, 1, 2, 2.01, 1])).toEqual(["ordinary", "ordinary", "ordinary", "ordinary", "spike", "ordinary"]);
    const state = { recent: [1, 1, 3, 4], consecutive: 0 };
    expect(judgeLoss(options, state, 4.5).verdict).toEqual({ kind: "spike", loss: 4.5, limit: 4, consecutive: 1 });
  });
  test("a spike leaves the window as it was", () => {
    const state = { recent: [1, 1, 1, 1], consecutive: 0 };
    expect(judgeLoss(options, state, 100).state).toEqual({ recent: [1, 1, 1, 1], consecutive: 1 });
    expect(judgeLoss(options, state, 1.5).state).toEqual({ recent: [1, 1, 1, 1.5], consecutive: 0 });
  });
  test("the first losses are not judged, except those that are no numbers", () => {
    expect(verdicts([1, 100])).toEqual(["ordinary", "ordinary"]);
    expect(verdicts([Number.NaN, 1, Number.POSITIVE_INFINITY])).toEqual(["spike", "ordinary", "spike"]);
  });
  test("spikes in a row are a new level", () => {
    expect(verdicts([1, 1, 9, 9, 9])).toEqual(["ordinary", "ordinary", "spike", "spike", "diverged"]);
    expect(verdicts([1, 1, 9, 9, 1, 9])).toEqual(["ordinary", "ordinary", "spike", "spike", "ordinary", "spike"]);
  });
  test("robust z-score: median 3, deviation 1.4826", () => {
    const state = { recent: [1, 2, 3, 4, 5], consecutive: 0 };
    const given: LossSpikeOptions = { criterion: { zScore: 2 }, windowSteps: 5, maxConsecutive: 9 };
    expect(judgeLoss(given, state, 3 + 2 * 1.4826).verdict.kind).toBe("ordinary");
    expect(judgeLoss(given, state, 3 + 2 * 1.4826 + 1e-9).verdict.kind).toBe("spike");
    expect(verdicts([2, 2, 2, 2.003], { ...given, windowSteps: 4 }).at(-1)).toBe("ordinary"); // a flat stretch keeps 0.1 % of play
    expect(verdicts([2, 2, 2, 2.005], { ...given, windowSteps: 4 }).at(-1)).toBe("spike");
  });
  test("scaling all losses changes no verdict", () => {
    const losses = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(losses, fc.constantFrom<LossSpikeOptions["criterion"]>({ ratio: 1.5 }, { zScore: 3 }), (sequence, criterion) => {
        const given = { criterion, windowSteps: 8, maxConsecutive: 5 };
        expect(verdicts(sequence.map((loss) => loss * 8), given)).toEqual(verdicts(sequence, given)); // biome-ignore format: one line
      }),
    );
  });
  test("median", () => expect([median([3]), median([4, 1]), median([9, 1, 2])]).toEqual([3, 2.5, 2]));
});

describe("early stop", () => {
  const run = (values: readonly number[], options = { patience: 2, minImprovement: 0.1 }) => {
    let state = initialEarlyStopState;
    const stops = values.map((value, i) => {
      const observed = observeForEarlyStop(options, JSON.parse(JSON.stringify(state)), { step: 10 * i, value });
      state = observed.state;
      return observed.stop;
    });
    return { stops, state };
  };
  test("stops after patience measurements without improvement and knows the best", () => {
    const { stops, state } = run([3, 2, 1.95, 1.8, 1.75, 1.71]);
    expect(stops).toEqual([false, false, false, false, false, true]);
    expect(state).toEqual({ best: 1.8, bestStep: 30, withoutImprovement: 2 });
  });
  test("NaN never improves", () => expect(run([Number.NaN, Number.NaN])).toMatchObject({ stops: [false, true], state: { best: null } }));
});

test("forgetting bound", () => {
  expect(judgeForgetting(0.25, 1, 1.25)).toEqual({ broken: false, increase: 0.25 });
  expect(judgeForgetting(0.25, 1, 1.5)).toEqual({ broken: true, increase: 0.5 });
  expect(judgeForgetting(0.25, 1, 0.5)).toEqual({ broken: false, increase: -0.5 });
  expect(judgeForgetting(0.25, 1, Number.NaN).broken).toBe(true);
});

describe("weight average", () => {
  const kinds: WeightAverage[] = [{ kind: "exponential", decay: 0.9 }, { kind: "warming", decay: 0.9 }, { kind: "uniform" }]; // biome-ignore format: a list
  const run = (average: WeightAverage, weights: readonly number[]) =>
    weights.reduce((value, weight, n) => (n === 0 ? weight : averageKeep(average, n) * value + (1 - averageKeep(average, n)) * weight));

  test("uniform is the plain mean of the start and every snapshot", () =>
    expect(run({ kind: "uniform" }, [4, 1, 7, 8])).toBeCloseTo(5, 12));
  test("exponential in closed form", () => expect(run(kinds[0]!, [1, 0, 0, 0])).toBeCloseTo(0.9 ** 3, 12));
  test("warming reaches the decay", () => {
    expect(averageKeep(kinds[1]!, 1)).toBeCloseTo(2 / 11, 12);
    expect(averageKeep(kinds[1]!, 1000)).toBe(0.9);
  });
  test.each(kinds)("shares of $kind add up to 1 and give the average", (average) => {
    const weights = [3, -1, 4, 1, -5, 9, 2, 6];
    const shares = weights.map((_, n) => averageShare(average, n, weights.length - 1));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(shares.reduce((sum, share, n) => sum + share * weights[n]!, 0)).toBeCloseTo(run(average, weights), 12);
  });
  test("half-life", () => expect(decayOfHalfLife(10) ** 10).toBeCloseTo(0.5, 12));
});
