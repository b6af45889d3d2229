import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bar,
  clock,
  gibibytes,
  liveLine,
  Pace,
  Progress,
  type ProgressMode,
  progressMode,
  type StepStatus,
  statusParts,
} from "./progress.ts";
import { memoryEffects } from "./testing/memory-effects.ts";
import { width } from "./text.ts";

const status: StepStatus = {
  ...{ step: 120, totalSteps: 400, stage: "basque", loss: 2.34567, learningRate: 3e-4, gradNorm: 0.98765 },
  ...{ tokensPerSecond: 12_345, modelFlopsUtilization: 0.43, memoryBytes: 1.5 * 2 ** 30 },
};

test("the parts of the status, most important first", () => {
  expect(statusParts(status, 3725)).toEqual([
    ...["basque 120/400", "loss 2.346", "12.3k tok/s", "1:02:05 left", "43 % of peak", "lr 3.00e-4", "grad 0.988", "1.5 GiB"],
  ]);
  expect(statusParts({ ...status, loss: Number.NaN }, undefined)[1]).toBe("loss NaN");
});

test("times, sizes and bars", () => {
  expect([0.4, 59.6, 3599, 3600, 200_000].map(clock)).toEqual(["0:00", "1:00", "59:59", "1:00:00", "2 days"]);
  expect([512 * 2 ** 20, 2 ** 31].map(gibibytes)).toEqual(["512 MiB", "2.0 GiB"]);
  expect([0, 0.5, 1, 2].map(bar)).toEqual(["░".repeat(12), "██████░░░░░░", "█".repeat(12), "█".repeat(12)]);
  expect(bar(1 / 96)).toBe(`▏${"░".repeat(11)}`);
});

test("a live line always fits its terminal, and shows whole parts", () => {
  fc.assert(
    fc.property(fc.integer({ min: 14, max: 200 }), (columns) => {
      const line = liveLine(status, 60, columns);
      expect(width(line)).toBeLessThan(columns);
      expect(liveLine(status, 60, 1000).startsWith(line)).toBe(true);
    }),
  );
});

test("time left follows the pace of the last steps", () => {
  const pace = new Pace();
  pace.add(1, 0);
  expect(pace.remainingSeconds(10)).toBeUndefined();
  for (let step = 2; step <= 10; step++) pace.add(step, step * 100_000);
  for (let step = 11; step <= 100; step++) pace.add(step, 1_000_000 + step * 2000);
  expect(pace.remainingSeconds(110)).toBe(20);
});

const shown = (mode: ProgressMode) => {
  const effects = memoryEffects();
  const progress = new Progress(mode, effects);
  for (let step = 1; step <= 400; step++) {
    effects.clock += 50;
    progress.step({ ...status, step });
  }
  progress.note("saved", { step: 400 });
  progress.end();
  return effects;
};

test("live: at most ten times a second, over one line, notes stay", () => {
  const { stderr, stdout } = shown("live");
  expect(stderr.match(/\r/g)!.length).toBe(200 + 1 + 1);
  expect(stderr.split("\n")).toHaveLength(2);
  expect(stderr.endsWith("\r\u001b[Ksaved\n")).toBe(true);
  expect(stdout).toBe("");
});

test("lines: every ten seconds and at the end; json: every step; quiet: nothing", () => {
  expect(
    shown("lines")
      .stderr.trim()
      .split("\n")
      .map((line) => line.split(" · ")[0]),
  ).toEqual(["basque 1/400", "basque 201/400", "basque 400/400", "saved"]);
  const lines = shown("json")
    .stdout.trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  expect(lines).toHaveLength(401);
  expect(lines[0]).toMatchObject({ type: "step", step: 1, loss: 2.34567 });
  expect(lines[400]).toMatchObject({ type: "note", text: "saved", step: 400 });
  expect(shown("quiet")).toMatchObject({ stdout: "", stderr: "" });
});

test("what is asked for goes before what the terminal is fit for", () => {
  expect(progressMode({}, true)).toBe("live");
  expect(progressMode({}, false)).toBe("lines");
  expect(progressMode({ json: true, quiet: true }, true)).toBe("json");
  expect(progressMode({ quiet: true }, true)).toBe("quiet");
});
