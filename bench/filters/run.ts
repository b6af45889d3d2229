/**
 * Documents per second and core of the filter chain, ours against datatrove, on the same pages: processes interleaved A B A B, each
 * pinned to one core, medians over the rounds.   tsx bench/filters/run.ts PYTHON PAGES.jsonl [rounds]
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

interface Pass {
  readonly documents: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly kept: readonly string[];
  readonly peakMegabytes: number;
}

const [python, pages, rounds = "5"] = process.argv.slice(2) as [string, string, string?];
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const contenders = {
  perennial: [process.execPath, "--import", "tsx", here("perennial-filters.ts"), pages],
  datatrove: [python, here("datatrove_filters.py"), pages],
} as const;

const passes: Record<keyof typeof contenders, Pass[]> = { perennial: [], datatrove: [] };
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, command] of Object.entries(contenders) as [keyof typeof contenders, readonly string[]][]) {
    const output = execFileSync("taskset", ["-c", "1", ...command], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
      stdio: ["ignore", "pipe", "ignore"],
    });
    passes[name].push(JSON.parse(output.trim().split("\n").at(-1)!));
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const rate = (all: readonly Pass[], of: "seconds" | "cpuSeconds") => median(all.map((pass) => pass.documents / pass[of]));
const [ours, theirs] = [passes.perennial, passes.datatrove];
const [kept, keptByPeer] = [new Set(ours[0]!.kept), new Set(theirs[0]!.kept)];
console.log(`timed pages ${ours[0]!.documents}, rounds ${rounds}, ${process.version}`);
for (const [name, all] of Object.entries(passes)) {
  const rates = `${rate(all, "cpuSeconds").toFixed(0)} documents a CPU second, ${rate(all, "seconds").toFixed(0)} a second`;
  console.log(`${name}: median ${rates}, peak ${median(all.map((pass) => pass.peakMegabytes)).toFixed(0)} MB`);
}
const ratio = (of: "seconds" | "cpuSeconds") => (rate(ours, of) / rate(theirs, of)).toFixed(1);
console.log(`ratio ${ratio("cpuSeconds")} by CPU time, ${ratio("seconds")} by wall time`);
console.log(
  `kept by both ${[...kept].filter((id) => keptByPeer.has(id)).length}, by one only ${[...kept].filter((id) => !keptByPeer.has(id)).length} + ${[...keptByPeer].filter((id) => !kept.has(id)).length}`,
);
