/**
 * Does a fit of the D-CPT law to 1,000 points take at most a second on one core, and is its loss no higher than SciPy's?
 *
 *   taskset -c 0 npx tsx bench/laws/laws.ts PYTHON [ROUNDS]
 *
 * Contenders, interleaved round by round on the same points and the same 96 starts:
 *   perennial   rounds of L-BFGS, the better starts carried on (what `fitDcpt` does)
 *   all starts  the same optimizer, every start to its minimum
 *   scipy       L-BFGS-B with analytic gradient, every start to its minimum
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dcptLoss } from "../../packages/perennial/src/mixture/laws/d-cpt.ts";
import { fitDcpt, inputsOf, startGrid } from "../../packages/perennial/src/mixture/laws/d-cpt-fit.ts";
import { dcptData, dcptObjective, logsOf } from "../../packages/perennial/src/mixture/laws/d-cpt-objective.ts";
import { HUBER_DELTA } from "../../packages/perennial/src/mixture/laws/goodness.ts";
import { minimize } from "../../packages/perennial/src/mixture/laws/lbfgs.ts";
import type { LossPoint } from "../../packages/perennial/src/mixture/laws/points.ts";
import { stream } from "../../packages/perennial/src/stream.ts";

const [python, rounds = "3"] = process.argv.slice(2);
if (python === undefined) throw new Error("Say which Python has SciPy: npx tsx bench/laws/laws.ts PYTHON");

const units = { tokens: 1e9, modelSize: 1e9 };
const fixed = { F: 0, mu: 1, w1: 1, w2: 1 };
const truth = { E: 1, A: 0.4, alpha: 0.3, B: 0.2, beta: 0.3, eta: 0.6, C: 0.4, gamma: 0.3, epsilon: 0.05, ...fixed };
const random = stream(1, "bench");
const points: LossPoint[] = [0.5e9, 1.8e9, 4e9, 7e9].flatMap((modelSize) =>
  Array.from({ length: 25 }, (_, i) => (i + 1) * 1.04e9).flatMap((tokens) =>
    [0, 0.1, 0.2, 0.33, 0.5, 0.6, 0.67, 0.8, 0.9, 1].map((ratio) => {
      const query = { ratio, tokens, modelSize };
      return { ...query, loss: dcptLoss(truth, inputsOf(query, "domain", units)) * Math.exp(1e-3 * random.normal()) };
    }),
  ),
);
const file = join(mkdtempSync(join(tmpdir(), "laws-")), "points.json");
writeFileSync(file, JSON.stringify(points));

interface Timed {
  readonly seconds: number;
  /** Of the process: what the fit costs however busy the machine is. */
  readonly cpuSeconds: number;
  readonly objective: number;
}

function timed(fit: () => number): Timed {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const objective = fit();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - begin) / 1000, cpuSeconds: (user + system) / 1e6, objective };
}

const contenders: Record<string, () => Timed> = {
  perennial: () => timed(() => fitDcpt(points, { corpus: "domain" }).objective),
  "all starts": () =>
    timed(() => {
      const rows = points.map((point) => ({ ...inputsOf(point, "domain", units), loss: point.loss }));
      const objective = dcptObjective(dcptData(rows), fixed, HUBER_DELTA);
      const starts = startGrid(Math.min(...rows.map((row) => row.loss)));
      return Math.min(...starts.map((start) => minimize(objective, logsOf(start, fixed)).value));
    }),
  scipy: () =>
    JSON.parse(
      execFileSync(python, ["bench/laws/scipy_fit.py", file], { encoding: "utf8", env: { ...process.env, OMP_NUM_THREADS: "1" } }),
    ),
};

const results = new Map<string, Timed[]>(Object.keys(contenders).map((name) => [name, []]));
for (let round = 0; round < Number(rounds); round++) for (const [name, run] of Object.entries(contenders)) results.get(name)!.push(run());

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const medianOf = (name: string, key: "seconds" | "cpuSeconds") => median(results.get(name)!.map((run) => run[key]));
console.log(`${points.length} points, ${rounds} rounds, medians\n`);
console.log("| contender | CPU s | wall s | scipy's CPU s / its | mean Huber loss |\n|---|---|---|---|---|");
for (const [name, runs] of results) {
  const cpu = medianOf(name, "cpuSeconds");
  const ratio = (medianOf("scipy", "cpuSeconds") / cpu).toFixed(1);
  console.log(`| ${name} | ${cpu.toFixed(2)} | ${medianOf(name, "seconds").toFixed(2)} | ${ratio} | ${runs[0]!.objective} |`);
}
