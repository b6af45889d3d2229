/**
 * What does a call cost? `add` on 4 elements, beside Python on the same libtorch: CPU nanoseconds per call, one thread.
 *   npx tsx --conditions source bench/overhead/overhead.ts --python PYTHON
 * CPU time, not wall time, so that neighbors on the machine do not count.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { scope, setNumThreads, torch } from "@perennial/torch";

const { values } = parseArgs({ options: { python: { type: "string" }, rounds: { type: "string", default: "5" } } });
const CALLS = 200_000;
setNumThreads(1);
const a = torch.randn([4]);
const b = torch.randn([4]);

const PYTHON = `
import time, torch
torch.set_num_threads(1)
a, b = torch.randn(4), torch.randn(4)
def run():
    for _ in range(${CALLS}): a.add(b)
run()
start = time.process_time_ns()
run()
print((time.process_time_ns() - start) / ${CALLS})
`;

function ours(): number {
  const run = () => {
    for (let i = 0; i < CALLS / 100; i++)
      scope(() => {
        for (let k = 0; k < 100; k++) a.add(b);
      });
  };
  run();
  const start = process.cpuUsage();
  run();
  const used = process.cpuUsage(start);
  return ((used.user + used.system) * 1000) / CALLS;
}

const rounds = Array.from({ length: Number(values.rounds) }, () => ({
  ours: ours(),
  python: values.python === undefined ? Number.NaN : Number(spawnSync(values.python, ["-c", PYTHON], { encoding: "utf8" }).stdout),
}));
const median = (list: number[]) => [...list].sort((x, y) => x - y)[list.length >> 1]!;
console.log("| contender | ns per add |\n|---|---|");
console.log(`| perennial, inside a scope | ${median(rounds.map((round) => round.ours)).toFixed(0)} |`);
if (values.python !== undefined) {
  console.log(`| Python | ${median(rounds.map((round) => round.python)).toFixed(0)} |`);
  console.log(`\nours / Python, per round: median ${median(rounds.map((round) => round.ours / round.python)).toFixed(2)}`);
}
