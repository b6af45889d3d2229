import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalSlurm, whyNoSlurm } from "../../testing/local-slurm.ts";
import type { CorpusStage } from "../run/stages.ts";
import { slurmScript, submitToSlurm } from "./slurm.ts";

const stage = (name: CorpusStage["name"], tasks: number, after: CorpusStage["after"], args: readonly string[]): CorpusStage => ({
  ...{ name, tasks, after, args },
  memoryBytes: 1 << 26,
});

test("the script of a stage", () => {
  const script = slurmScript(stage("read", 12, [], ["corpus", "run", "it's mine.yaml", "--stage", "read"]), {
    ...{ folder: "/data/my corpus", name: "basque", command: ["node", "/opt/perennial.js"], cwd: "/data" },
    ...{ partition: "cpu", time: "2:00:00", maxParallel: 4, cpusPerTask: 8, extra: ["--nice=10"] },
  });
  expect(script).toBe(`#!/bin/sh
#SBATCH --job-name=basque-read
#SBATCH --array=0-11%4
#SBATCH --cpus-per-task=8
#SBATCH --mem=64M
#SBATCH --output="/data/my corpus/slurm/read-%a.log"
#SBATCH --chdir=/data
#SBATCH --partition=cpu
#SBATCH --time=2:00:00
#SBATCH --nice=10

exec node /opt/perennial.js corpus run 'it'\\''s mine.yaml' --stage read --workers 8
`);
  const options = { folder: "/f", name: "n", command: ["x"], cwd: "/", extra: ["--a\n#SBATCH --b"] };
  expect(() => slurmScript(stage("read", 1, [], []), options)).toThrow(/one line/);
});

test("without Slurm: a sentence", async () => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-no-slurm-"));
  try {
    await expect(
      submitToSlurm([stage("read", 1, [], [])], { folder, name: "n", command: ["x"], cwd: "/", environment: { PATH: "/nowhere" } }),
    ).rejects.toThrow(/There is no command sbatch here/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const missing = whyNoSlurm();
describe.skipIf(missing !== undefined)(`a real Slurm${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  let slurm: LocalSlurm;
  let root: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "perennial-slurm-jobs-"));
    slurm = await LocalSlurm.start();
  }, 60_000);
  afterAll(async () => {
    await slurm?.stop();
    rmSync(root, { recursive: true, force: true });
  }, 30_000);

  /** A command that notes its stage and member, and what was there when it began; fails while FAIL is there. */
  function commandIn(folder: string): string[] {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "task.sh");
    writeFileSync(
      path,
      `#!/bin/sh
cd "${folder}"
[ "$1" = read ] && [ "$SLURM_ARRAY_TASK_ID" = 1 ] && [ -e FAIL ] && exit 3
ls | grep -c '^read-' > "$1-$SLURM_ARRAY_TASK_ID.tmp"
mv "$1-$SLURM_ARRAY_TASK_ID.tmp" "$1-$SLURM_ARRAY_TASK_ID"
`,
    );
    chmodSync(path, 0o755);
    return [path];
  }
  const stages = [
    stage("read", 3, [], ["read"]),
    stage("measure", 1, ["read"], ["measure"]),
    stage("publish", 2, ["read", "measure"], ["publish"]),
  ];
  const done = (folder: string) =>
    readdirSync(folder)
      .filter((name) => /^[a-z]+-\d+$/.test(name))
      .sort();

  test("arrays run in the order of their stages, every member once", async () => {
    const folder = join(root, "whole");
    const command = commandIn(folder);
    const submitted = await submitToSlurm(stages, { folder, name: "t", command, cwd: folder, environment: slurm.environment });
    expect(submitted.map(({ stage, tasks }) => [stage, tasks])).toEqual([
      ["read", 3],
      ["measure", 1],
      ["publish", 2],
    ]);
    expect(submitted[2]!.after).toEqual([submitted[0]!.jobId, submitted[1]!.jobId]);
    expect(JSON.parse(readFileSync(join(folder, "slurm/jobs.json"), "utf8"))).toEqual(submitted);
    await slurm.drained();
    expect(done(folder)).toEqual(["measure-0", "publish-0", "publish-1", "read-0", "read-1", "read-2"]);
    // All of the stage before was there when the next began.
    for (const name of ["measure-0", "publish-0", "publish-1"]) expect(readFileSync(join(folder, name), "utf8").trim()).toBe("3");
    expect(existsSync(join(folder, "slurm/read-2.log"))).toBe(true);
  }, 120_000);

  test("a failed member stops what comes after it; submitted again, the rest is done", async () => {
    const folder = join(root, "failing");
    const command = commandIn(folder);
    writeFileSync(join(folder, "FAIL"), "");
    const options = { folder, name: "t", command, cwd: folder, environment: slurm.environment };
    await submitToSlurm(stages, options);
    await slurm.drained();
    expect(done(folder)).toEqual(["read-0", "read-2"]);
    rmSync(join(folder, "FAIL"));
    await submitToSlurm(stages, options);
    await slurm.drained();
    expect(done(folder)).toHaveLength(6);
  }, 120_000);

  test("a stage that is refused takes those before it back", async () => {
    const folder = join(root, "refused");
    const command = commandIn(folder);
    const bad = [stage("read", 500, [], ["read"]), stage("measure", 1_000_000, ["read"], ["measure"])];
    await expect(submitToSlurm(bad, { folder, name: "t", command, cwd: folder, environment: slurm.environment })).rejects.toThrow(
      /sbatch refused .*measure\.sh: .*[Ii]nvalid job array/,
    );
    await slurm.drained();
    expect(done(folder).length).toBeLessThan(500);
    expect(existsSync(join(folder, "slurm/jobs.json"))).toBe(false);
  }, 120_000);
});
