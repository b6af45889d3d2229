/**
 * How fast is a training step, side by side with PyTorch on the same libtorch and threads?
 *   npx tsx --conditions source bench/training-step/training-step.ts --python PYTHON [--shape 7M|25M|110M] [--dtype float32|bfloat16]
 *     [--peers eager,compiled] [--rounds 7] [--steps 4] [--warmup 2] [--threads 2]
 * PYTHON is a Python with torch of the same version. Contenders run in processes of their own and take turns; the peak of
 * matrix products is measured in the same rounds.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { countParameters, decoderConfig, trainingFlopsPerToken } from "perennial/model";
import { Contender, machineLine, mebibytes, median, ratioText } from "../contender.ts";
import { shapes } from "./shapes.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    shape: { type: "string", default: "7M" },
    dtype: { type: "string", default: "float32" },
    peers: { type: "string", default: "eager,compiled" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "7" },
    steps: { type: "string", default: "4" },
    warmup: { type: "string", default: "2" },
  },
});
const shape = shapes[values.shape]!;
const threads = Number(values.threads);
const { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = shape.config;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const ours = await Contender.ofSource("perennial", here("contender.ts"), [values.shape, values.dtype, values.threads], threads).start();
const contenders = [ours];
if (values.python !== undefined) {
  const shapeText = [vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, shape.sequenceLength].join(",");
  for (const mode of values.peers.split(",").filter((name) => name !== "")) {
    const args = [here("contender.py"), shapeText, values.dtype, values.threads, mode];
    contenders.push(await new Contender(`PyTorch ${mode}`, values.python, args, threads).start());
  }
}
const losses = contenders.map(({ ready }) => ready.firstLoss!);
if (losses.some((loss) => Math.abs(loss / losses[0]! - 1) > 0.01)) throw new Error(`The first losses differ: ${losses.join(", ")}`);

const peaks: { float32: number; bfloat16: number }[] = [];
if (Number(values.warmup) > 0) for (const contender of contenders) await contender.run(Number(values.warmup), false);
for (let round = 0; round < Number(values.rounds); round++) {
  peaks.push(await ours.ask("peak"));
  for (const contender of contenders) await contender.run(Number(values.steps));
}
for (const contender of contenders) contender.stop();

const config = decoderConfig(shape.config);
const tokens = shape.batchSize * shape.sequenceLength;
const peak = (dtype: "float32" | "bfloat16") => Math.max(...peaks.map((each) => each[dtype]));
const bf16Text = values.dtype === "bfloat16" ? `, libtorch's bfloat16 ${(peak("bfloat16") / 1e9).toFixed(0)}` : "";
console.log(
  `${values.shape} (${(countParameters(config).total / 1e6).toFixed(1)} M parameters), batch ${shape.batchSize} × ${shape.sequenceLength}, ${values.dtype}, ${values.threads} threads, median of ${values.rounds} rounds of ${values.steps} steps`,
);
console.log(
  `${machineLine()}; matrix products reach ${(peak("float32") / 1e9).toFixed(0)} GFLOP/s in float32${bf16Text} in these rounds\n`,
);
console.log(
  "| contender | tokens/s | GFLOP/s | of the float32 peak | our speed against it, per round: median (min – max) | the same in CPU time | peak memory | first step |",
);
console.log("|---|---|---|---|---|---|---|---|");
for (const contender of contenders) {
  const speed = tokens / median(contender.seconds);
  const flops = speed * trainingFlopsPerToken(config, shape.sequenceLength);
  const versus = (key: "seconds" | "cpuSeconds") => (contender === ours ? "" : ratioText(ours[key], contender[key]));
  console.log(
    `| ${contender.name} | ${speed.toFixed(0)} | ${(flops / 1e9).toFixed(0)} | ${((100 * flops) / peak("float32")).toFixed(0)} % | ${versus("seconds")} | ${versus("cpuSeconds")} | ${mebibytes(contender.peakBytes)} | ${contender.ready.firstStepSeconds!.toFixed(2)} s, ${(contender.ready.firstStepSeconds! / median(contender.seconds)).toFixed(1)} steps |`,
  );
}
