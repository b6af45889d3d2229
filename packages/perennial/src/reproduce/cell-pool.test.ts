import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RunEventMessage } from "../run/index.ts";
import { CellProcesses, type RanCell } from "./cell-pool.ts";
import { secondsOfCells } from "./cost.ts";
import { findReproduction } from "./registry.ts";
import { ReproductionStopped } from "./reproduction.ts";
import { type ReproduceOptions, reproduce } from "./run.ts";

const home = mkdtempSync(join(tmpdir(), "cell-pool-"));
const pool = new CellProcesses("cmr-law", 2);
afterAll(async () => {
  await pool.close();
  rmSync(home, { recursive: true, force: true });
});

const reproduction = await findReproduction("cmr-law");
const options = (folder: string): ReproduceOptions => ({
  folder: join(home, folder),
  seeds: [1],
  settings: { tokens: 0.02, width: 16 },
  arms: ["share-12", "share-25"],
});
const numbers = ({ cells }: { cells: readonly { cell: RanCell["cell"] }[] }) => cells.map(({ cell }) => cell.measurements);

test("cells in two processes give the numbers of cells in this one, from a base model made once", async () => {
  const notes: string[] = [];
  const beside = new Set<number>();
  let together = 0;
  const parallel = await reproduce(reproduction, {
    ...options("parallel"),
    pool,
    listen: (message) => message.kind === "note" && message.text.startsWith("making") && notes.push(message.text),
    onCell: ({ state, number }) => {
      if (state === "begins") beside.add(number);
      else beside.delete(number);
      together = Math.max(together, beside.size);
    },
  });
  expect(together).toBe(2);
  expect(notes).toHaveLength(1);
  const serial = await reproduce(reproduction, options("serial"));
  expect(numbers(parallel)).toEqual(numbers(serial));
  expect(parallel.cells.map(({ arm, hash, hardware }) => [arm, hash, hardware.threads])).toEqual(serial.cells.map(({ arm, hash }) => [arm, hash, 1])); // biome-ignore format: one line

  // A stop reaches the processes: they save, and the next call goes on inside the cell to the same numbers.
  const abort = new AbortController();
  const seeds = [2];
  const stopAt = (message: RunEventMessage) =>
    message.kind === "step" && message.stage === "mixture" && message.step === 2 && abort.abort();
  const cut = reproduce(reproduction, { ...options("parallel"), seeds, pool, signal: abort.signal, listen: stopAt });
  await expect(cut).rejects.toThrow(ReproductionStopped);
  expect(readdirSync(join(home, "parallel", "cmr-law", "work"))).toHaveLength(2);
  let first = Number.POSITIVE_INFINITY;
  const watch = (message: RunEventMessage) => {
    if (message.kind === "step") first = Math.min(first, message.step);
  };
  const resumed = await reproduce(reproduction, { ...options("parallel"), seeds, pool, listen: watch });
  expect(first).toBeGreaterThan(1);
  expect(numbers(resumed)).toEqual(numbers(await reproduce(reproduction, { ...options("serial"), seeds })));
}, 180_000);

test("a process that dies under a cell, and a cell that fails there, are errors that say so", async () => {
  const kill = (message: RunEventMessage) => {
    if (message.kind === "step") (pool as unknown as { children: { kill(signal: string): void }[] }).children[0]!.kill("SIGKILL");
  };
  const killed = reproduce(reproduction, { ...options("killed"), arms: ["share-12"], pool, listen: kill });
  await expect(killed).rejects.toThrow("share-12, seed 1: its process was ended by SIGKILL; the same command goes on where it was.");
  const [folder, sharedFolder, tokensFolder] = ["cell", "shared", "tokens"].map((name) => join(home, "failed", name)) as [
    string,
    string,
    string,
  ];
  const context = { folder, sharedFolder, tokensFolder, listen: () => {}, signal: undefined };
  const failed = pool.run(0, { arm: "nobody", seed: 1, settings: { tokens: 0.02, width: 16 } }, context);
  await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/./), message: expect.stringMatching(/./) });
}, 180_000);

test("the cost of cells: as known of the arm, else the measured minutes by tokens and width", () => {
  const costs = { minutes: 6, arms: [1, 2].map((arm) => ({ name: `${arm}`, label: "" })) };
  const settings = { tokens: 1, width: 64 };
  expect(secondsOfCells(costs, settings, ["1", "2", "1", "2", "1", "2"], [])).toBeCloseTo(360);
  expect(secondsOfCells(costs, { tokens: 0.5, width: 128 }, ["1"], [])).toBeCloseTo(30 * 2 ** 1.3);
  expect(secondsOfCells(costs, settings, ["1", "2"], [{ arm: "1", seconds: 5 }, { arm: "1", seconds: 7 }])).toBeCloseTo(66); // biome-ignore format: one line
});
