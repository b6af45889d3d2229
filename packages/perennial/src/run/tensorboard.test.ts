import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EventFile, eventListener } from "./tensorboard.ts";

const folder = mkdtempSync(join(tmpdir(), "perennial-events-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const golden = (name: string) => readFileSync(new URL(`./golden/${name}`, import.meta.url));

/** The file that `tools/golden/tensorboard_events.py` has read with TensorBoard. */
function write(): string {
  let time = 1_764_028_800_000;
  const file = new EventFile(folder, 0, () => (time += 250));
  file.scalars(1, { loss: 5.5, "bitsPerByte/Zürich": -0.0625 });
  file.scalars(300, { loss: 3.0e-5 });
  file.scalars(2 ** 33, { loss: Number.NaN });
  file.startSession(300);
  file.scalars(300, { loss: 2 });
  file.close();
  return file.path;
}

test("the bytes are those that TensorBoard reads back", () => {
  const path = write();
  expect(path).toMatch(/events\.out\.tfevents\.1764028800\./);
  expect(readFileSync(path).equals(golden("events.bin"))).toBe(true);
  expect(JSON.parse(golden("events.json").toString())).toEqual({
    events: [
      { wallTime: 1764028800.5, fileVersion: "brain.Event:2" },
      { wallTime: 1764028800.75, step: 1, scalars: { loss: 5.5, "bitsPerByte/Zürich": -0.0625 } },
      { wallTime: 1764028801, step: 300, scalars: { loss: Math.fround(3.0e-5) } },
      { wallTime: 1764028801.25, step: 2 ** 33, scalars: { loss: "nan" } },
      { wallTime: 1764028801.5, step: 300, session: "START" },
      { wallTime: 1764028801.75, step: 300, scalars: { loss: 2 } },
    ],
    // What the dashboard shows in the end: steps from 300 on were forgotten and written again.
    accumulated: { loss: [[1, 5.5], [300, 2]], "bitsPerByte/Zürich": [[1, -0.0625]] }, // biome-ignore format: a row for each
  });
});

test("steps that come again after a rollback start a session of their own", () => {
  const before = readdirSync(folder).length;
  const file = new EventFile(folder, 0);
  const sessions: number[] = [];
  file.startSession = (step) => sessions.push(step);
  const listen = eventListener(file);
  const step = (number: number) =>
    listen({
      kind: "step",
      stage: "a",
      step: number,
      totalSteps: 9,
      tokensPerSecond: 1,
      modelFlopsUtilization: 0,
      memoryBytes: 1,
      secondsLeft: 0,
      report: {
        step: number,
        loss: 1,
        gradNorm: 1,
        learningRate: 1,
        targetTokens: 1,
        seconds: 1,
        dataSeconds: 0,
        skipped: undefined,
      },
    });
  for (const number of [1, 2, 3, 2, 3]) step(number);
  file.close();
  expect(sessions).toEqual([2]);
  expect(readdirSync(folder)).toHaveLength(before + 1);
});
