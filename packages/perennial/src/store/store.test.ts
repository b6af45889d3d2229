import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashPath, hashText } from "./hash.ts";
import { lockRunFolder } from "./run-lock.ts";
import type { NewRun } from "./runs.ts";
import { openStore, type Store } from "./store.ts";

let folder: string;
let path: string;
const open: Store[] = [];
const opened = (mode: "read" | "write"): Store => {
  const store = openStore(path, { mode, busyTimeoutMilliseconds: 50 });
  open.push(store);
  return store;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-store-"));
  path = join(folder, "deep", "store.db");
});
afterEach(() => {
  for (const store of open.splice(0)) store.close();
  rmSync(folder, { recursive: true });
});

const newRun = (overrides: Partial<NewRun> = {}): NewRun => ({
  name: "kabyle",
  variant: "main",
  recipe: { seed: 1 },
  recipeText: "seed: 1\n",
  seed: 1,
  versions: { perennial: "0.1.0" },
  hardware: { cores: 2 },
  folder: "runs/kabyle",
  ...overrides,
});

/** A process of our own that holds a run (and its folder) until it is killed. */
async function holder(script: "run" | "folder"): Promise<ChildProcess> {
  const source = fileURLToPath(new URL("testing/hold.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", source, script, path, folder], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([once(child.stdout!, "data"), once(child, "exit").then(() => Promise.reject(new Error("the holder died early")))]);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("runs", () => {
  test("a reader sees what a run has written, while it writes", () => {
    const recorder = opened("write").start(newRun());
    const reader = opened("read");
    recorder.metrics(1, { loss: 3.5, learningRate: 1e-3 });
    recorder.flush();
    expect(reader.runs.byId(recorder.run.id)).toMatchObject({ status: "running", recipe: { seed: 1 }, hardware: { cores: 2 } });
    expect(reader.metrics.read(recorder.run.key, "loss")).toEqual({ steps: [1], values: [3.5] });
    recorder.metrics(2, { loss: 3.25 });
    recorder.end("finished");
    expect(reader.metrics.read(recorder.run.key, "loss")).toEqual({ steps: [1, 2], values: [3.5, 3.25] });
    expect(reader.runs.byId(recorder.run.id)).toMatchObject({ status: "finished", reason: null });
  });

  test("a reader cannot change anything", () => {
    opened("write");
    expect(() => opened("read").start(newRun())).toThrow(/permissions/);
  });

  test("a run whose process was killed shows as interrupted, and resumes", async () => {
    const child = await holder("run");
    const store = opened("write");
    const run = store.runs.find("latest");
    expect(run.status).toBe("running");
    await kill(child);
    expect(store.runs.byId(run.id)).toMatchObject({ status: "interrupted", reason: expect.stringContaining(String(child.pid)) });
    expect(store.metrics.read(run.key, "loss").values).toEqual([5]);
    expect(store.resume(run, 0).run.status).toBe("running");
  });

  test("another host's run is believed while its heart beats", () => {
    const store = opened("write");
    const { run } = store.start(newRun());
    store.database.run("UPDATE runs SET process = ?", JSON.stringify({ pid: 1, host: "elsewhere", startTicks: 1 }));
    expect(store.runs.byId(run.id)!.status).toBe("running");
    store.runs.heartbeat(run.key, Date.now() - 11 * 60 * 1000);
    expect(store.runs.byId(run.id)!.status).toBe("interrupted");
  });

  test("is found by id, beginning, name or `latest`; a slip gets the nearest", () => {
    const store = opened("write");
    const clock = () => Date.UTC(2026, 10, 24, 23, 5, 1);
    const first = store.start(newRun(), clock).run;
    const second = store.start(newRun({ variant: "naive", family: first.id }), () => clock() + 1000).run;
    expect([first.id, second.id]).toEqual(["kabyle-20261124-230501", "kabyle-naive-20261124-230502"]);
    expect(store.start(newRun(), clock).run.id).toBe("kabyle-20261124-230501-2");
    expect(store.runs.find("kabyle-n").id).toBe(second.id);
    expect(store.runs.find("latest").id).toBe(second.id);
    expect(store.runs.family(first.id).map(({ variant }) => variant)).toEqual(["main", "naive"]);
    expect(() => store.runs.find("kabile")).toThrow(/Did you mean kabyle\?/);
    expect(() => store.runs.find("kabyle-2026")).toThrow(/could be any of/);
  });
});

describe("metrics", () => {
  test("not-a-number and infinities survive", () => {
    const store = opened("write");
    const { run } = store.start(newRun());
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0.1, 1e-308];
    store.metrics.append(
      run.key,
      values.map((value, step) => ({ step, name: "loss", value, at: 1 })),
    );
    expect(store.metrics.read(run.key, "loss").values).toEqual(values);
    expect(store.metrics.last(run.key, "loss")).toEqual({ step: 4, value: 1e-308 });
  });

  test("whatever is appended is read back in order, the last write of a step wins", () => {
    const store = opened("write");
    let round = 0;
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.nat(50),
            fc.double({ noNaN: true }).map((value) => value + 0 /* SQLite has no −0 */),
          ),
        ),
        fc.nat(50),
        (points, from) => {
          const { run } = store.start(newRun({ name: `p${round++}` }));
          for (const [step, value] of points) store.metrics.append(run.key, [{ step, name: "x", value, at: 0 }]);
          const expected = [...new Map(points)].filter(([step]) => step >= from).sort(([a], [b]) => a - b);
          const read = store.metrics.read(run.key, "x", { from });
          expect(read.steps).toEqual(expected.map(([step]) => step));
          expect(read.values).toEqual(expected.map(([, value]) => value));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("10⁵ points are thinned without losing the spike", () => {
    const store = opened("write");
    const { run } = store.start(newRun());
    store.metrics.append(
      run.key,
      Array.from({ length: 100_000 }, (_, step) => ({ step, name: "loss", value: step === 77_777 ? 50 : 2, at: step })),
    );
    const thinned = store.metrics.thinned(run.key, "loss", 400);
    expect(thinned.steps).toHaveLength(400);
    expect(thinned.steps.at(-1)).toBe(99_999);
    expect(Math.max(...thinned.high)).toBe(50);
    expect(Math.min(...thinned.low)).toBe(2);
    const bucket = thinned.high.indexOf(50);
    expect(thinned.values[bucket]).toBeCloseTo(2 + 48 / 250, 12);
    expect(store.metrics.thinned(run.key, "loss", 400, { from: 77_777, to: 77_778 })).toEqual({
      steps: [77_777, 77_778],
      values: [50, 2],
      low: [50, 2],
      high: [50, 2],
    });
    expect(store.metrics.thinned(run.key, "none", 400).steps).toEqual([]);
  });

  test("resuming forgets what came after the checkpoint", () => {
    const store = opened("write");
    const recorder = store.start(newRun());
    recorder.stageStarted(0, "one", 0);
    for (let step = 1; step <= 6; step++) recorder.metrics(step, { loss: step });
    recorder.stageEnded(0, 5, 500);
    recorder.stageStarted(1, "two", 5);
    recorder.evaluations([5, 6].map((step) => evaluation({ step })));
    recorder.flush();
    store.resume(recorder.run, 4);
    expect(store.metrics.read(recorder.run.key, "loss").steps).toEqual([1, 2, 3, 4]);
    expect(store.stages.read(recorder.run.key)).toMatchObject([{ name: "one", endStep: null, tokens: 0 }]);
    expect(store.evaluations.read(recorder.run.key, "bitsPerByte")).toEqual([]);
  });
});

const evaluation = (overrides: object) => ({
  step: 0,
  moment: "after" as const,
  stage: 0,
  corpus: "english",
  metric: "bitsPerByte",
  tokens: 0,
  value: 2,
  low: Number.NaN,
  high: Number.NaN,
  ...overrides,
});

test("the evaluation matrix has a row before and one after each stage, and holes stay holes", () => {
  const store = opened("write");
  const recorder = store.start(newRun());
  recorder.evaluations([
    evaluation({ moment: "before", corpus: "english", value: 1.5, low: 1.4, high: 1.6 }),
    evaluation({ moment: "before", corpus: "basque", value: 4 }),
    evaluation({ moment: "during", step: 5, corpus: "basque", value: 3 }),
    evaluation({ step: 10, corpus: "english", value: 1.75 }),
    evaluation({ step: 10, corpus: "basque", value: 2 }),
    evaluation({ step: 20, stage: 1, corpus: "basque", value: 1.9 }),
  ]);
  const matrix = store.evaluations.matrix(recorder.run.key, "bitsPerByte", ["basque"]);
  expect(matrix.rows.map(({ label }) => label)).toEqual(["before", "after basque", "after stage 2"]);
  expect(matrix.corpora).toEqual(["basque", "english"]);
  expect(matrix.values).toEqual([
    [4, 1.5],
    [2, 1.75],
    [1.9, Number.NaN],
  ]);
  expect(store.evaluations.read(recorder.run.key, "bitsPerByte")[1]).toMatchObject({ low: 1.4, high: 1.6 });
});

test("lineage joins models through their hashes, up and down", () => {
  const store = opened("write");
  const artifact = (name: string, kind: "model" | "data" | "recipe" = "model") => ({
    hash: hashText(name),
    kind,
    name,
    path: `models/${name}`,
    bytes: 1,
  });
  const first = store.start(newRun());
  for (const input of [artifact("base"), artifact("english", "data"), artifact("basque", "data")]) first.input(input);
  first.artifact(artifact("basque-1"), [
    { hash: hashText("base"), role: "model" },
    { hash: hashText("basque"), role: "data" },
    { hash: hashText("english"), role: "replay" },
  ]);
  const second = store.start(newRun());
  second.artifact(artifact("basque-2"), [{ hash: hashText("basque-1"), role: "model" }]);
  store.start(newRun()).artifact(artifact("unrelated"), []);
  const names = (reference: string) =>
    [...store.lineage.of(store.lineage.find(reference).hash).artifacts.values()].map(({ name }) => name).sort();
  expect(names("basque-1")).toEqual(["base", "basque", "basque-1", "basque-2", "english"]);
  expect(names("models/basque-2/")).toEqual(["base", "basque", "basque-1", "basque-2", "english"]);
  expect(names(hashText("base").slice(0, 8))).toEqual(["base", "basque-1", "basque-2"]);
  expect(store.lineage.find(second.run.id).name).toBe("basque-2");
  expect(store.lineage.byHash(hashText("basque-1"))!.run).toBe(first.run.id);
  expect(() => store.lineage.find("models/bask-2")).toThrow(/Did you mean/);
  expect(() => second.artifact(artifact("orphan"), [{ hash: "0", role: "model" }])).toThrow(/recorded parent/);
  expect(store.lineage.byHash(hashText("orphan"))).toBeUndefined();
});

test("events and samples keep their order", () => {
  const store = opened("write");
  const recorder = store.start(newRun());
  recorder.event(3, "rollback", "loss spike of 9.1 at step 3");
  const sample = { label: "basque", prompt: "Kaixo", text: "Kaixo <b>mundua</b>", settings: { temperature: 0 } };
  recorder.samples([
    { ...sample, step: 10, moment: "after" },
    { ...sample, step: 0, moment: "before" },
  ]);
  expect(store.evaluations.samples(recorder.run.key).map(({ moment }) => moment)).toEqual(["before", "after"]);
  expect(store.events.read(recorder.run.key)).toMatchObject([{ kind: "rollback", step: 3 }]);
});

describe("a store that cannot be used says why", () => {
  const message = (mode: "read" | "write"): string => {
    try {
      opened(mode);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("it opened");
  };

  test("missing", () => expect(message("read")).toMatch(/expected a store of runs\. Train something first/));

  test("damaged", () => {
    path = join(folder, "store.db");
    writeFileSync(path, "not a database ".repeat(500));
    expect(message("read")).toMatch(/damaged or not a store/);
    expect(message("write")).toMatch(/damaged or not a store/);
  });

  test("written by a newer version", () => {
    opened("write").database.run("PRAGMA user_version = 999");
    expect(message("read")).toMatch(/received 999\. Update perennial/);
  });

  test("not up to date, for a reader that may not change it", () => {
    path = join(folder, "store.db");
    const other = new Libsql(path);
    other.exec("CREATE TABLE x (y)");
    other.close();
    expect(message("read")).toMatch(/version 1, received 0/);
  });

  test("locked", () => {
    opened("write");
    const other = new Libsql(path);
    other.exec("BEGIN IMMEDIATE");
    expect(() => open[0]!.start(newRun())).toThrow(/another process holds it/i);
    other.exec("ROLLBACK");
    other.close();
    expect(open[0]!.start(newRun()).run.status).toBe("running");
  });

  test("a folder in its place", () => {
    path = folder;
    expect(message("write")).toMatch(/check the path and its permissions/i);
  });
});

describe("one run per folder", () => {
  test("the second is refused and told who is there; after release it is free", () => {
    const lock = lockRunFolder(folder);
    expect(lock.diedBefore).toBeUndefined();
    expect(() => lockRunFolder(folder)).toThrow(new RegExp(`Process ${process.pid} on `));
    lock.release();
    lock.release();
    lockRunFolder(folder).release();
  });

  test("also across processes; a killed one leaves no lock, only its name", async () => {
    const child = await holder("folder");
    expect(() => lockRunFolder(folder)).toThrow(new RegExp(`Process ${child.pid} on `));
    await kill(child);
    const lock = lockRunFolder(folder);
    expect(lock.diedBefore?.pid).toBe(child.pid);
    lock.release();
  });

  test("a lock file that is not ours is named", () => {
    writeFileSync(join(folder, "run.lock"), "pid 12\n".repeat(100));
    expect(() => lockRunFolder(folder)).toThrow(/delete this file/);
  });
});

test("a folder's hash depends on names and bytes, not on where it lies or on hidden files", async () => {
  const at = (name: string) => join(folder, name);
  writeFileSync(at("b.txt"), "two");
  writeFileSync(at("a.txt"), "one");
  const before = await hashPath(folder);
  expect(before).toEqual({ hash: hashText(`${hashText("one")}  a.txt\n${hashText("two")}  b.txt\n`), bytes: 6 });
  writeFileSync(at(".hidden"), "x");
  writeFileSync(at("run.lock"), "x");
  expect(await hashPath(folder, new Set(["run.lock"]))).toEqual(before);
  renameSync(at("a.txt"), at("c.txt"));
  expect((await hashPath(folder, new Set(["run.lock"]))).hash).not.toBe(before.hash);
  expect(await hashPath(at("b.txt"))).toEqual({ hash: hashText("two"), bytes: 3 });
});
