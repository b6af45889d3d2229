import { availableParallelism } from "node:os";
import type { RunEventMessage } from "perennial/run";
import { expect, test } from "vitest";
import type { Effects } from "../effects.ts";
import { CellsDisplay } from "./reproduce-progress.ts";

test("the plan with its time, each cell as it ends, and between them what runs and how long the rest takes", () => {
  let [text, time] = ["", 0];
  const effects: Effects = {
    cwd: "/",
    env: {},
    out: () => {},
    err: (written) => {
      text += written;
    },
    now: () => time,
    isTTY: false,
    color: false,
    columns: 80,
  };
  const told = () => {
    const all = text;
    text = "";
    return all;
  };
  const display = new CellsDisplay("lines", effects, {
    measurements: [{ key: "loss", label: "loss", unit: "nats", digits: 1 }],
    workers: 1,
  });
  display.onPlan({ total: 4, missing: 3, seconds: 90 });
  expect(told()).toBe("3 runs to do, 1 kept: about 1:30 in 1 process of one thread (1:30 of computing)\n");
  const first = { arm: "base", seed: 2, number: 2, total: 4 };
  display.onCell({ ...first, state: "begins" });
  const step = (at: number) => ({ kind: "step", step: at, totalSteps: 10 }) as RunEventMessage;
  time = 10_000;
  display.onMessage(step(5), first);
  expect(told()).toBe("1:20 left · base, seed 2: 5/10\n");
  time = 20_000;
  display.onCell({ ...first, state: "finished", cell: { measurements: { loss: 1.25, other: 9 } }, seconds: 20 });
  expect(told()).toBe("[2/4] base, seed 2: loss 1.3 (20 s)\n");
  // At the pace of the first: 20 s each.
  const second = { ...first, arm: "method", number: 3 };
  display.onCell({ ...second, state: "begins" });
  time = 30_000;
  display.onMessage(step(5), second);
  expect(told()).toBe("0:30 left · method, seed 2: 5/10\n");
  display.onMessage({ kind: "warning", text: "interrupted after step 5." }, second);
  expect(told()).toBe("");
});

test("no plan where nothing is to do; cores bound what runs at once", () => {
  let text = "";
  const effects = { err: (written: string) => (text += written), now: () => 0, columns: 80 } as unknown as Effects;
  const display = new CellsDisplay("lines", effects, { measurements: [], workers: 1000 });
  display.onPlan({ total: 4, missing: 0, seconds: 0 });
  expect(text).toBe("");
  display.onPlan({ total: 2000, missing: 2000, seconds: 60 * availableParallelism() });
  expect(text).toMatch(/^2000 runs to do: about 1:00 in /);
});
