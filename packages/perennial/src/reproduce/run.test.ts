import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CellPool } from "./cell-pool.ts";
import { NOTES_MARK, notesOf, resultPage } from "./page.ts";
import { defineReproduction, type Reproduction, ReproductionStopped } from "./reproduction.ts";
import { reproduce } from "./run.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reproduce-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The method is better than the base by 1 in every seed; `ran` remembers what was computed. */
function toy(ran: string[], fails?: string): Reproduction {
  return defineReproduction({
    name: "toy",
    title: "A toy",
    source: "nobody",
    setup: "Two arms.",
    texts: ["english"],
    arms: [
      { name: "base", label: "baseline" },
      { name: "method", label: "method" },
    ],
    measurements: [{ key: "loss", label: "loss", unit: "nats" }],
    claims: [
      {
        id: "better",
        statement: "The method is better",
        quantity: "base − method",
        unit: "nats",
        expect: { above: 0 },
        value: (of) => of("base", "loss") - of("method", "loss"),
      },
    ],
    charts: [{ curve: "loss", title: "Loss", x: "tokens", y: "nats" }],
    minutes: 1,
    inputs: (arm: string, seed: number, settings) => ({ arm, seed, ...settings }),
    async run({ arm, seed, tokens }, { signal }) {
      if (`${arm}${seed}` === fails) throw new Error("power cut");
      if (signal?.aborted === true) throw new ReproductionStopped();
      ran.push(`${arm}${seed}`);
      const loss = seed * tokens + (arm === "base" ? 2 : 1);
      return { measurements: { loss }, curves: { loss: { x: [0, 1], y: [9, loss] } } };
    },
  }) as Reproduction;
}

const settings = { tokens: 1, width: 64 };

test("a cut call goes on at the first missing cell, seed by seed, and judges the claims", async () => {
  const [first, second]: [string[], string[]] = [[], []];
  await expect(reproduce(toy(first, "method2"), { folder, seeds: [1, 2], settings })).rejects.toThrow("power cut");
  expect(first).toEqual(["base1", "method1", "base2"]);
  const outcome = await reproduce(toy(second), { folder, seeds: [1, 2], settings });
  expect(second).toEqual(["method2"]);
  expect(outcome.claims[0]).toMatchObject({ estimate: { value: 1, low: 1, high: 1 }, values: [1, 1], verdict: "held" });
});

test("other inputs are other cells, and both are kept", async () => {
  const ran: string[] = [];
  await reproduce(toy(ran), { folder, seeds: [1], settings });
  await reproduce(toy(ran), { folder, seeds: [1], settings: { ...settings, tokens: 2 } });
  await reproduce(toy(ran), { folder, seeds: [1], settings });
  expect(ran).toEqual(["base1", "method1", "base1", "method1"]);
  expect(readdirSync(join(folder, "toy", "cells"))).toHaveLength(4);
});

test("an abort stops before the next cell", async () => {
  const abort = new AbortController();
  const onCell = ({ state }: { state: string }) => state === "finished" && abort.abort();
  const ran: string[] = [];
  await expect(reproduce(toy(ran), { folder, seeds: [1], settings, onCell, signal: abort.signal })).rejects.toThrow(ReproductionStopped);
  expect(ran).toEqual(["base1"]);
});

test("some arms, and only the claims that they decide", async () => {
  const outcome = await reproduce(toy([]), { folder, seeds: [1], settings, arms: ["method"] });
  expect(outcome.cells.map(({ arm }) => arm)).toEqual(["method"]);
  expect(outcome.claims).toEqual([]);
  await expect(reproduce(toy([]), { folder, seeds: [1], settings, arms: ["metod"] })).rejects.toThrow("Did you mean method?");
});

test("a damaged cell is an error that names the file", async () => {
  await reproduce(toy([]), { folder, seeds: [1], settings });
  const file = join(folder, "toy", "cells", readdirSync(join(folder, "toy", "cells"))[0]!);
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 20));
  await expect(reproduce(toy([]), { folder, seeds: [1], settings })).rejects.toThrow(file);
});

test("the page has the command, the numbers, the verdict and the picture, and keeps what people wrote", async () => {
  const reproduction = toy([]);
  const outcome = await reproduce(reproduction, { folder, seeds: [1, 2, 3], settings });
  const { markdown, images } = resultPage(reproduction, outcome, { command: "npx perennial reproduce toy" });
  expect(markdown).toContain("```sh\nnpx perennial reproduce toy\n```");
  expect(markdown).toContain("| The method is better | base − method, nats | > 0 | +1.000 (+1.000 … +1.000) | **held** |");
  expect(markdown).toContain("| baseline | 4.000 ± 2.484 |");
  expect([...images.keys()]).toEqual(["toy-loss.svg"]);
  expect(images.get("toy-loss.svg")).toMatch(/^<svg/);
  expect(notesOf(markdown)).toBeUndefined();
  const edited = `${markdown}\n## What to make of it\n\nNothing.\n`;
  const again = resultPage(reproduction, outcome, { command: "x", notes: notesOf(edited)! });
  expect(again.markdown).toContain(`${NOTES_MARK}\n\n## What to make of it\n\nNothing.\n`);
});

test("as many cells at once as the pool holds, in the order of seeds; a cell that fails stops the others", async () => {
  const reproduction = toy([]);
  const slots: [number, string][] = [];
  const pool = (fails?: string): CellPool => ({
    size: 2,
    async run(slot, { arm, seed, settings }, { signal, ...context }) {
      slots.push([slot, `${arm}${seed}`]);
      await new Promise((done) => setTimeout(done, arm === fails ? 5 : 20));
      if (arm === fails) throw new Error("power cut");
      if (signal?.aborted === true) throw new ReproductionStopped();
      return { cell: await reproduction.run(reproduction.inputs(arm, seed, settings), { ...context, signal }), hardware: {} };
    },
    async close() {},
  });
  await expect(reproduce(reproduction, { folder, seeds: [1, 2], settings, pool: pool("method") })).rejects.toThrow("power cut");
  expect(slots).toEqual([[0, "base1"], [1, "method1"]]); // biome-ignore format: one line
  expect(readdirSync(join(folder, "toy", "cells"))).toEqual([]);
  const outcome = await reproduce(reproduction, { folder, seeds: [1, 2], settings, pool: pool() });
  expect(outcome.cells.map(({ arm, seed }) => `${arm}${seed}`)).toEqual(["base1", "method1", "base2", "method2"]);
  expect(outcome.claims[0]!.verdict).toBe("held");
});
