/**
 * What does the whole trainer cost over the bare engine step, and how does it stand beside a plain PyTorch script and
 * Hugging Face's Trainer on the same model, batch, libtorch and threads?
 *   npx tsx --conditions source bench/trainer/trainer.ts --python PYTHON [--shape 7M] [--dtype float32|bfloat16]
 *     [--contenders bare,pytorch,hugging-face] [--rounds 7] [--steps 6] [--warmup 2]
 * PYTHON has torch of the same version, transformers and accelerate. Ours reads text from the disk, tokenizes it in advance, packs,
 * samples and writes metrics; the Python contenders get rows of random tokens in memory. The end's checkpoint is left out.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Contender, machineLine, mebibytes, median, ratioText, takeTurns } from "../contender.ts";
import { shapes } from "../training-step/shapes.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    shape: { type: "string", default: "7M" },
    dtype: { type: "string", default: "float32" },
    contenders: { type: "string", default: "bare,pytorch,hugging-face" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "7" },
    steps: { type: "string", default: "6" },
    warmup: { type: "string", default: "2" },
  },
});
const { config, batchSize, sequenceLength } = shapes[values.shape]!;
const threads = Number(values.threads);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "perennial-trainer-"));
cpSync(here("../../examples/quickstart/english.jsonl.gz"), join(folder, "english.jsonl.gz"));

try {
  const { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = config;
  const shapeText = [vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, sequenceLength].join(",");
  const args = [values.shape, values.dtype, values.threads];
  const python = (name: string, file: string, rest: readonly string[]) =>
    new Contender(name, values.python!, [here(file), shapeText, values.dtype, values.threads, ...rest], threads);
  const known: Readonly<Record<string, () => Contender>> = {
    bare: () => Contender.ofSource("bare engine step", here("../training-step/contender.ts"), args, threads),
    pytorch: () => python("PyTorch script, eager", "../training-step/contender.py", ["eager"]),
    "hugging-face": () => python("Hugging Face Trainer", "hugging_face.py", [join(folder, "hugging-face")]),
  };
  const names = values.contenders.split(",").filter((name) => name === "bare" || values.python !== undefined);
  const ours = await Contender.ofSource("perennial trainer", here("contender.ts"), [...args, folder], threads).start();
  const contenders = [ours];
  for (const name of names) contenders.push(await known[name]!().start());
  await takeTurns(contenders, { rounds: Number(values.rounds), steps: Number(values.steps), warmup: Number(values.warmup) });
  for (const contender of contenders) contender.stop();

  console.log(
    `${values.shape}, batch ${batchSize} × ${sequenceLength}, ${values.dtype}, ${threads} threads, median of ${values.rounds} rounds of ${values.steps} steps`,
  );
  console.log(`${machineLine()}\n`);
  console.log("| contender | tokens/s | the trainer's speed against it | the same in CPU time | peak memory |\n|---|---|---|---|---|");
  for (const contender of contenders) {
    const versus = (key: "seconds" | "cpuSeconds") => (contender === ours ? "" : ratioText(ours[key], contender[key]));
    console.log(
      `| ${contender.name} | ${((batchSize * sequenceLength) / median(contender.seconds)).toFixed(0)} | ${versus("seconds")} | ${versus("cpuSeconds")} | ${mebibytes(contender.peakBytes)} |`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
