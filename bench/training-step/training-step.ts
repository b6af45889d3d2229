/**
 * How fast is a training step, side by side with PyTorch on the same libtorch and threads?
 *   npx tsx --conditions source bench/training-step/training-step.ts --python PYTHON [--shape 7M|25M|110M] [--dtype float32|bfloat16]
 * PYTHON is a Python with torch of the same version. Contenders run in processes of their own and take turns.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { countParameters, decoderConfig, trainingFlopsPerToken } from "perennial/model";
import { shapes } from "./shapes.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    shape: { type: "string", default: "7M" },
    dtype: { type: "string", default: "float32" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "7" },
    steps: { type: "string", default: "5" },
  },
});
const shape = shapes[values.shape]!;
const { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = shape.config;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

class Contender {
  readonly name: string;
  readonly seconds: number[] = [];
  peakBytes = 0;
  ready: Record<string, unknown> = {};
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(name: string, command: string, args: string[]) {
    this.name = name;
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, OMP_NUM_THREADS: values.threads } });
    const reader: Interface = createInterface({ input: this.child.stdout! });
    this.lines = reader[Symbol.asyncIterator]();
  }

  private async answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.lines.next();
    if (done === true) throw new Error(`${this.name} ended early`);
    return JSON.parse(value) as Record<string, unknown>;
  }

  async start(): Promise<void> {
    this.ready = await this.answer();
  }

  async run(steps: number, count: boolean): Promise<void> {
    this.child.stdin!.write(`${steps}\n`);
    const { seconds, peakBytes } = await this.answer();
    if (count) this.seconds.push((seconds as number) / steps);
    this.peakBytes = peakBytes as number;
  }

  stop(): void {
    this.child.stdin!.end();
  }
}

const contenders = [
  new Contender("perennial", process.execPath, [
    "--import",
    "tsx",
    "--conditions",
    "source",
    here("contender.ts"),
    values.shape,
    values.dtype,
    values.threads,
  ]),
];
await contenders[0]!.start();
if (values.python !== undefined) {
  const shapeText = [vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, shape.sequenceLength].join(",");
  for (const mode of ["eager", "compiled"]) {
    const peer = new Contender(`pytorch ${mode}`, values.python, [here("contender.py"), shapeText, values.dtype, values.threads, mode]);
    await peer.start();
    contenders.push(peer);
  }
}
for (const contender of contenders) await contender.run(2, false);
for (let round = 0; round < Number(values.rounds); round++)
  for (const contender of contenders) await contender.run(Number(values.steps), true);
for (const contender of contenders) contender.stop();

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
const config = decoderConfig(shape.config);
const tokens = shape.batchSize * shape.sequenceLength;
const ours = contenders[0]!;
console.log(
  `${values.shape} (${(countParameters(config).total / 1e6).toFixed(1)} M parameters), batch ${shape.batchSize} × ${shape.sequenceLength}, ${values.dtype}, ${values.threads} threads, median of ${values.rounds} rounds of ${values.steps} steps\n`,
);
console.log("| contender | tokens/s | GFLOP/s | our speed against it, per round: median (min – max) | peak memory | first step |");
console.log("|---|---|---|---|---|---|");
for (const contender of contenders) {
  const ratios = contender.seconds.map((seconds, i) => seconds / ours.seconds[i]!);
  const speed = tokens / median(contender.seconds);
  console.log(
    `| ${contender.name} | ${speed.toFixed(0)} | ${((speed * trainingFlopsPerToken(config, shape.sequenceLength)) / 1e9).toFixed(0)} | ${median(ratios).toFixed(2)}× (${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}) | ${(contender.peakBytes / 2 ** 20).toFixed(0)} MiB | ${(contender.ready.firstStepSeconds as number).toFixed(2)} s |`,
  );
}
