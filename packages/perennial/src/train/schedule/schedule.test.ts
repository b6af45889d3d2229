import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { cosine } from "./cosine.ts";
import { annealFrom, type InfiniteOptions, infinite } from "./infinite.ts";
import { resolveSchedule, type ScheduleOptions, type ScheduleSpec, scheduleMethods, scheduleSchema, toSchedule } from "./resolve.ts";
import { samplePoints } from "./sample-points.ts";
import type { Schedule } from "./schedule.ts";

const rates = { maxLearningRate: 3e-4, minLearningRate: 3e-5 };
const scheduleOf = (spec: ScheduleSpec, totalSteps: number) => toSchedule(resolveSchedule(spec, totalSteps));
/** Equal to the digits the specification gives. */
const toBe = (schedule: Schedule, values: readonly (readonly [step: number, learningRate: number])[]) => {
  for (const [step, value] of values) expect(schedule(step) / value, `step ${step}`).toBeCloseTo(1, 9);
};

describe("values of the specification", () => {
  test("cosine over 10,000 steps, 1 % warm-up", () => {
    const schedule = scheduleOf({ schedule: "cosine", ...rates, warmupShare: 0.01 }, 10_000);
    toBe(schedule, [[50, 1.5e-4], [100, 3e-4], [2575, 2.6045941546e-4], [5050, 1.65e-4], [10_000, 3e-5]]); // biome-ignore format: a table
    expect(schedule(0)).toBe(0);
    expect(schedule(10_000)).toBe(3e-5);
    expect(schedule(20_000)).toBe(3e-5);
  });

  const phases = { warmupSteps: 100, cooldownSteps: 6000, annealAt: 8600, annealingSteps: 1400 };
  const both = [[6100, 1.65e-4], [8600, 1.65e-4], [9300, 7.0356236397e-5], [10_000, 3e-5]] as const; // biome-ignore format: a table
  test.each([
    ["cosine", [[1600, 2.8022970773e-4], [3100, 2.325e-4]]], // biome-ignore format: a table
    ["inverse-sqrt", [[1600, 2.1003509621e-4], [3100, 1.8562952287e-4]]], // biome-ignore format: a table
    ["linear", [[3100, 2.325e-4], [1600, 2.6625e-4]]], // biome-ignore format: a table
  ] as const)("infinite with %s cool-down", (cooldown, values) => {
    const spec = { schedule: "infinite", ...rates, cooldown } as const;
    const schedule = scheduleOf({ ...spec, ...phases, constantLearningRate: 1.65e-4 }, 10_000);
    toBe(schedule, [...values, ...both]);
    expect(schedule(10_000)).toBe(3e-5);
    expect(schedule(99_999)).toBe(3e-5);
    expect(resolveSchedule(spec, 10_000)).toMatchObject({ ...phases, constantLearningRate: 1.65e-4, cooldown }); // the paper's shares are the defaults
  });

  test("cosine-inf warms up from zero once, then from the minimum", () => {
    const schedule = scheduleOf({ schedule: "cosine-inf", ...rates, numCycles: 2, warmupShare: 0.1 }, 2000);
    toBe(schedule, [[50, 1.5e-4], [100, 3e-4], [550, 1.65e-4], [1050, 1.65e-4], [1100, 3e-4], [1550, 1.65e-4]]); // biome-ignore format: a table
    expect([schedule(0), schedule(1000), schedule(2000)]).toEqual([0, 3e-5, 3e-5]);
    expect(scheduleOf({ schedule: "cosine-inf", ...rates, cycleSteps: 1000, rewarmFrom: "zero" }, 5)(1000)).toBe(0);
  });
});

test("warmup–stable–decay, each curve at half of its decay", () => {
  const half = { linear: 1.65e-4, cosine: 1.65e-4, exponential: Math.sqrt(3e-4 * 3e-5), "1-sqrt": 3e-5 + 2.7e-4 * (1 - Math.SQRT1_2) };
  for (const decay of ["linear", "cosine", "exponential", "1-sqrt"] as const) {
    const schedule = scheduleOf({ schedule: "wsd", ...rates, warmupSteps: 10, decay, decayShare: 0.2 }, 1000);
    toBe(schedule, [[5, 1.5e-4], [10, 3e-4], [800, 3e-4], [900, half[decay]], [1000, 3e-5], [1500, 3e-5]]); // biome-ignore format: a table
  }
  expect(scheduleOf({ schedule: "wsd", ...rates, decayAt: "never" }, 100)(1e9)).toBe(3e-4);
});

test("constant, linear and inverse square root", () => {
  toBe(scheduleOf({ schedule: "constant", maxLearningRate: 1, warmupSteps: 4 }, 10), [[1, 0.25], [4, 1], [99, 1]]); // biome-ignore format: a table
  toBe(scheduleOf({ schedule: "linear", maxLearningRate: 1, minLearningRate: 0, warmupSteps: 2 }, 12), [[1, 0.5], [2, 1], [7, 0.5]]); // biome-ignore format: a table
  toBe(scheduleOf({ schedule: "inverse-sqrt", maxLearningRate: 1, warmupSteps: 4 }, 10), [[2, 0.5], [4, 1], [16, 0.5]]); // biome-ignore format: a table
  expect(scheduleOf({ schedule: "linear", maxLearningRate: 1, minLearningRate: 0 }, 12)(12)).toBe(0);
});

test("re-warming from the minimum", () => {
  const schedule = scheduleOf({ schedule: "cosine", ...rates, warmupSteps: 100, rewarmFrom: "min" }, 1000);
  expect(schedule(0)).toBe(3e-5);
  toBe(schedule, [[50, 1.65e-4], [100, 3e-4]]); // biome-ignore format: a table
});

test("no warm-up divides by nothing", () => {
  for (const schedule of ["constant", "linear", "cosine", "infinite", "wsd"] as const)
    expect(scheduleOf({ schedule, maxLearningRate: 1, warmupSteps: 0 }, 100)(0)).toBe(1);
  expect(scheduleOf({ schedule: "cosine-inf", maxLearningRate: 1, numCycles: 1, warmupSteps: 0 }, 100)(0)).toBe(1);
  expect(scheduleOf({ schedule: "cosine", maxLearningRate: 1, warmupSteps: 0 }, 0)(0)).toBe(0.1);
});

test("the trunk does not depend on the plan or on a branch", () => {
  const fixed = { schedule: "infinite", ...rates, warmupSteps: 10, cooldownSteps: 100 } as const;
  const trunk = resolveSchedule({ ...fixed, annealAt: "never" }, 500) as InfiniteOptions;
  const longer = scheduleOf({ ...fixed, annealAt: "never" }, 50_000);
  const branch = infinite(annealFrom(trunk, 300, 50));
  for (let step = 0; step <= 300; step++) expect([longer(step), branch(step)]).toEqual([infinite(trunk)(step), infinite(trunk)(step)]);
  expect(infinite(trunk)(1e7)).toBe(1.65e-4);
  expect(branch(301)).toBeLessThan(1.65e-4);
  expect(branch(350)).toBe(3e-5);
  expect(() => annealFrom(trunk, 109, 50)).toThrow(/schedule.annealAt: expected a step from 110 on/);
});

const specs: fc.Arbitrary<ScheduleSpec> = fc
  .record({
    schedule: fc.constantFrom("constant", "linear", "cosine", "infinite", "wsd", "cosine-inf", "inverse-sqrt"),
    maxLearningRate: fc.constantFrom(1e-4, 3e-4, 0.1, 1),
    warmup: fc.oneof(
      fc.record({ warmupShare: fc.constantFrom(0, 0.05, 0.1, 0.33) }),
      fc.record({ warmupSteps: fc.integer({ min: 0, max: 12 }) }),
    ),
    minimum: fc.constantFrom(0.01, 0.1, 1),
    numCycles: fc.constantFrom(1, 2, 5),
    decay: fc.constantFrom("linear", "cosine", "exponential", "1-sqrt"),
    cooldown: fc.constantFrom("cosine", "inverse-sqrt", "linear"),
    rewarmFrom: fc.constantFrom("zero", "min"),
  })
  .map(({ schedule, maxLearningRate, warmup, minimum, numCycles, decay, cooldown, rewarmFrom }): ScheduleSpec => {
    const bounded = { maxLearningRate, minLearningRate: maxLearningRate * minimum, rewarmFrom, ...warmup } as const;
    if (schedule === "constant" || schedule === "inverse-sqrt") return { schedule, maxLearningRate, ...warmup };
    if (schedule === "cosine-inf") return { schedule, ...bounded, numCycles };
    if (schedule === "wsd") return { schedule, ...bounded, decay };
    if (schedule === "infinite") return { schedule, ...bounded, cooldown, cooldownShare: 0.3 };
    return { schedule, ...bounded };
  }) as fc.Arbitrary<ScheduleSpec>;
const plans = fc.integer({ min: 8, max: 60 }).map((n) => n * 10);

test("rates stay between zero and the maximum, and at or above the minimum after the warm-up", () => {
  fc.assert(
    fc.property(specs, plans, (spec, totalSteps) => {
      const options = resolveSchedule(spec, totalSteps);
      const schedule = toSchedule(options);
      const cycle = options.schedule === "cosine-inf" ? options.cycleSteps : Number.POSITIVE_INFINITY;
      const floor = "minLearningRate" in options ? options.minLearningRate : 0;
      for (let step = 0; step <= totalSteps + 20; step++) {
        const rate = schedule(step);
        expect(rate).toBeGreaterThanOrEqual(step % cycle < options.warmupSteps ? 0 : floor * (1 - 1e-12));
        expect(rate).toBeLessThanOrEqual(spec.maxLearningRate * (1 + 1e-12));
      }
    }),
  );
});

test("continuous: at ten times the steps every jump is a tenth, borders of phases included", () => {
  fc.assert(
    fc.property(specs, plans, (spec, totalSteps) => {
      fc.pre(!("decay" in spec && spec.decay === "1-sqrt")); // its slope at the border is infinite
      fc.pre(!(spec.schedule === "cosine-inf" && spec.rewarmFrom === "zero")); // jumps by definition
      fc.pre(resolveSchedule(spec, totalSteps).warmupSteps > 0);
      const fine = refined(resolveSchedule(spec, totalSteps), 1000);
      const schedule = toSchedule(fine);
      // The steepest piece: a phase of at least one step crosses at most the whole range, bent at most eleven-fold (inverse-sqrt, α = 10).
      const bound = (spec.maxLearningRate * 12) / 1000;
      for (let step = 0; step < (totalSteps + 2) * 1000; step += 499)
        expect(Math.abs(schedule(step + 1) - schedule(step))).toBeLessThanOrEqual(bound);
      for (const border of bordersOf(fine)) expect(Math.abs(schedule(border + 1) - schedule(border))).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 40 },
  );
});

/** The same curve with every phase `factor` times as long. */
function refined(options: ScheduleOptions, factor: number): ScheduleOptions {
  const entries = Object.entries(options).map(([key, value]) => [
    key,
    /Steps$|At$/.test(key) && typeof value === "number" ? value * factor : value,
  ]);
  return Object.fromEntries(entries) as ScheduleOptions;
}

function bordersOf(options: ScheduleOptions): number[] {
  const at = (...keys: string[]) => keys.reduce((sum, key) => sum + Number((options as unknown as Record<string, unknown>)[key] ?? 0), 0);
  const ends = [at("warmupSteps"), at("warmupSteps", "cooldownSteps"), at("annealAt"), at("decayAt"), at("annealAt", "annealingSteps")];
  return [...ends, at("warmupSteps", "decaySteps"), at("decayAt", "decaySteps"), at("cycleSteps")].flatMap((end) =>
    end > 0 ? [end - 1, end] : [],
  );
}

test("resolved options survive JSON and resolve to themselves, whatever is planned", () => {
  fc.assert(
    fc.property(specs, plans, fc.integer({ min: 0, max: 5000 }), (spec, totalSteps, other) => {
      const options = resolveSchedule(spec, totalSteps);
      expect(resolveSchedule(JSON.parse(JSON.stringify(options)), other)).toEqual(options);
    }),
  );
});

test("shares that add up to one fill the plan exactly", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 16 }), (totalSteps, a, b) => {
      fc.pre(a + b <= 16);
      const spec = {
        schedule: "infinite",
        maxLearningRate: 1,
        warmupShare: a / 16,
        cooldownShare: b / 16,
        annealingShare: (16 - a - b) / 16,
      } as const;
      const options = resolveSchedule(spec, totalSteps) as InfiniteOptions;
      expect(options.warmupSteps + options.cooldownSteps).toBe(options.annealAt);
      expect(totalSteps - options.annealingSteps).toBe(options.annealAt);
    }),
  );
});

test.each([
  [
    { schedule: "cosine", maxLearningRate: 1, warmupSteps: 5, warmupShare: 0.1 },
    "schedule.warmupShare: expected warmupSteps or warmupShare, not both, received 0.1.",
  ],
  [
    { schedule: "cosine", maxLearningRate: 1, minLearningRate: 2 },
    "schedule.minLearningRate: expected at most maxLearningRate, which is 1, received 2.",
  ],
  [{ schedule: "cosine", maxLearningRate: 1, warmupStep: 2 }, "schedule.warmupStep: expected a field of cosine. Did you mean warmupSteps?"],
  [
    { schedule: "cosin", maxLearningRate: 1 },
    'schedule.schedule: expected one of constant, linear, cosine, cosine-inf, infinite, wsd, inverse-sqrt, received "cosin".',
  ],
  [{ schedule: "cosine", maxLearningRate: 0 }, "schedule.maxLearningRate: expected number to be >0, received 0."],
  [{ schedule: "cosine", maxLearningRate: "a" }, 'schedule.maxLearningRate: expected number, received string, received "a".'],
  [
    { schedule: "cosine", maxLearningRate: 1, warmupSteps: 200 },
    'schedule: expected phases of at most 100 steps, all that are planned, received {"warmupSteps":200}. Shorten a phase or plan more steps.',
  ],
  [{ schedule: "cosine-inf", maxLearningRate: 1 }, "schedule.numCycles: expected numCycles or cycleSteps."],
  [
    { schedule: "cosine-inf", maxLearningRate: 1, numCycles: 3 },
    "schedule.numCycles: expected a divisor of the 100 planned steps, received 3. Plan a multiple of it, or write cycleSteps.",
  ],
  [
    { schedule: "cosine-inf", maxLearningRate: 1, cycleSteps: 10, warmupSteps: 11 },
    "schedule.warmupSteps: expected at most a cycle of 10 steps, received 11.",
  ],
  [
    { schedule: "infinite", maxLearningRate: 1, constantLearningRate: 0.5, minLearningRate: 0.6 },
    "schedule.minLearningRate: expected at most constantLearningRate, which is 0.5, received 0.6.",
  ],
  [
    { schedule: "infinite", maxLearningRate: 1, annealingShare: 0.5 },
    "schedule.annealAt: expected a step from 61 on, where the phases before it end, received 50. Shorten a phase or plan more steps.",
  ],
  [
    { schedule: "wsd", maxLearningRate: 1, minLearningRate: 0, decay: "exponential" },
    "schedule.minLearningRate: expected more than 0, which an exponential decay never reaches, received 0.",
  ],
])("%j is refused", (spec, message) => {
  const resolve = () => resolveSchedule(spec as ScheduleSpec, 100);
  expect(resolve).toThrow(FieldError);
  expect(resolve).toThrow(expect.objectContaining({ message }));
});

test("half a step cannot be planned", () =>
  expect(() => resolveSchedule({ schedule: "constant", maxLearningRate: 1 }, 1.5)).toThrow(/totalSteps/));

test("points for a plot include both ends and never repeat a step", () => {
  const schedule = scheduleOf({ schedule: "linear", maxLearningRate: 1, minLearningRate: 0, warmupSteps: 0 }, 10);
  expect(samplePoints(schedule, 10, 3)).toEqual([{ step: 0, learningRate: 1 }, { step: 5, learningRate: 0.5 }, { step: 10, learningRate: 0 }]); // biome-ignore format: points
  expect(samplePoints(schedule, 3, 100).map(({ step }) => step)).toEqual([0, 1, 2, 3]);
  expect(samplePoints(schedule, 0, 5)).toHaveLength(1);
});

test("every method is in the union, under its own name, with a JSON Schema", () => {
  const json = z.toJSONSchema(scheduleSchema, { io: "input" }) as unknown as {
    oneOf: { properties: { schedule: { const: string } }; additionalProperties: boolean }[];
  };
  expect(json.oneOf.map(({ properties }) => properties.schedule.const).sort()).toEqual(Object.keys(scheduleMethods).sort());
  expect(json.oneOf.every(({ additionalProperties }) => additionalProperties === false)).toBe(true);
});

test("types: a method makes a schedule", () => {
  expectTypeOf(cosine).returns.toEqualTypeOf<Schedule>();
  // @ts-expect-error options of one method are not another's
  expect(() => cosine({ schedule: "infinite" })).not.toThrow();
});
