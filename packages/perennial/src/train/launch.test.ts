import { expect, test } from "vitest";
import { describeFailure, launch } from "./launch.ts";

const node = (processes: number, script: string) => {
  const lines = { out: "", err: "" };
  const result = launch({
    processes,
    command: process.execPath,
    args: ["-e", script],
    out: (text) => {
      lines.out += text;
    },
    err: (text) => {
      lines.err += text;
    },
  });
  return { lines, result };
};

test("every process gets torchrun's variables; rank 0 speaks, the others complain behind their rank", async () => {
  const { lines, result } = node(
    3,
    `const { RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, OMP_NUM_THREADS } = process.env;
     console.log("out of " + RANK);
     console.error([RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, Number(MASTER_PORT) > 0, Number(OMP_NUM_THREADS) >= 1].join(" "));`,
  );
  expect(await result).toEqual({ exitCode: 0, failed: undefined });
  expect(lines.out).toBe("out of 0\n");
  expect(lines.err.trim().split("\n").sort()).toEqual([
    "0 0 3 3 127.0.0.1 true true",
    "[1] 1 1 3 3 127.0.0.1 true true",
    "[2] 2 2 3 3 127.0.0.1 true true",
  ]);
});

test("when one dies the others are ended, and it is said which one, how and with which last words", async () => {
  const { result } = node(
    3,
    `if (process.env.RANK === "1") { console.error("no memory left"); process.exitCode = 9; } else setInterval(() => {}, 1000);`,
  );
  const ended = await result;
  expect(ended).toEqual({ exitCode: 9, failed: { rank: 1, signal: null, lastLines: ["no memory left"] } });
  expect(describeFailure(ended)).toBe(
    "The process of rank 1 ended with code 9; the others were stopped. Its last lines:\n  no memory left",
  );
});

test("a process that was killed gives 128 + its signal", async () => {
  const { result } = node(2, `process.env.RANK === "1" ? process.kill(process.pid, "SIGKILL") : setInterval(() => {}, 1000);`);
  const ended = await result;
  expect(ended.exitCode).toBe(137);
  expect(describeFailure(ended)).toBe("The process of rank 1 was killed by SIGKILL; the others were stopped.");
});

test("an interrupt reaches all, each ends in its own time, and none of that is a failure", async () => {
  const { lines, result } = node(
    2,
    `process.on("SIGINT", () => setTimeout(() => { console.error("saved"); process.exit(130); }, process.env.RANK === "0" ? 300 : 0));
     console.error("ready"); setInterval(() => {}, 1000);`,
  );
  while (lines.err.match(/ready/g)?.length !== 2) await new Promise((done) => setTimeout(done, 20));
  process.emit("SIGINT", "SIGINT");
  expect(await result).toEqual({ exitCode: 130, failed: undefined });
  expect(lines.err.match(/saved/g)).toHaveLength(2);
});

test("a command that does not exist is said, and a senseless number of processes", async () => {
  const ended = await launch({ processes: 2, command: "/no/such/program", out: () => {}, err: () => {} });
  expect(ended.exitCode).toBe(127);
  expect(describeFailure(ended)).toMatch(/The process of rank \d ended with code 127.*ENOENT/s);
  await expect(launch({ processes: 0, command: "true" })).rejects.toThrow(/processes: expected a positive integer, received 0/);
});
