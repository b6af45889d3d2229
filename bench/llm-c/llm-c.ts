/**
 * How fast is a training step of GPT-2 124 M beside llm.c's CPU trainer: same shapes, same batch of 4 × 64, float32, same threads?
 *   LLM_C=FOLDER npx tsx --conditions source bench/llm-c/llm-c.ts [--rounds 3] [--steps 3] [--threads 2]
 * FOLDER holds llm.c's `train_gpt2`, built with OpenMP as its documentation says. It gets random weights and tokens in its own file
 * formats in a temporary folder, and is held still (SIGSTOP) while ours computes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Contender, machineLine, mebibytes, median, ratioText } from "../contender.ts";
import { gpt2 } from "./shape.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, steps: { type: "string", default: "3" }, threads: { type: "string", default: "2" } },
});
const peerFolder = process.env.LLM_C;
const [rounds, steps, threads] = [Number(values.rounds), Number(values.steps), Number(values.threads)];
const { vocabSize: V, paddedVocabSize, hiddenSize: D, numHiddenLayers: L, numAttentionHeads: H, maxPositionEmbeddings: P } = gpt2;
const { batchSize: B, sequenceLength: T } = gpt2;

function writeWithHeader(path: string, header: readonly number[], parts: Iterable<Uint8Array>): void {
  const file = openSync(path, "w");
  writeSync(file, new Uint8Array(Int32Array.from({ length: 256 }, (_, i) => header[i] ?? 0).buffer));
  for (const part of parts) writeSync(file, part);
  closeSync(file);
}

/** Weights of N(0, 0.02²) in llm.c's order; norms are neutral. Sizes: wte, wpe, then each kind for all layers. */
function* weights(): Generator<Uint8Array> {
  const noise = Float32Array.from(
    { length: 65_536 },
    () => 0.02 * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(6.2832 * Math.random()),
  );
  const sizes: [number, "noise" | "one" | "zero"][] = [
    [paddedVocabSize * D, "noise"],
    [P * D, "noise"],
    ...(
      [
        [D, "one"],
        [D, "zero"],
        [3 * D * D, "noise"],
        [3 * D, "zero"],
        [D * D, "noise"],
        [D, "zero"],
        [D, "one"],
        [D, "zero"],
        [4 * D * D, "noise"],
        [4 * D, "zero"],
        [4 * D * D, "noise"],
        [D, "zero"],
      ] as [number, "noise" | "one" | "zero"][]
    ).map(([size, kind]): [number, "noise" | "one" | "zero"] => [L * size, kind]),
    [D, "one"],
    [D, "zero"],
  ];
  for (const [size, kind] of sizes) {
    const data = new Float32Array(size).fill(kind === "one" ? 1 : 0);
    if (kind === "noise") for (let i = 0; i < size; i += noise.length) data.set(noise.subarray(0, Math.min(noise.length, size - i)), i);
    yield new Uint8Array(data.buffer);
  }
}

/** llm.c's trainer, which runs on its own: its lines tell the milliseconds of each step. */
class LlmC {
  readonly seconds: number[] = [];
  peakBytes = 0;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(program: string, folder: string) {
    this.child = spawn("stdbuf", ["-oL", program], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, OMP_NUM_THREADS: `${threads}` },
    });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async run(count: number, counts = true): Promise<void> {
    this.child.kill("SIGCONT");
    const round: number[] = [];
    while (round.length < count) {
      const { value, done } = await this.lines.next();
      if (done === true) throw new Error("train_gpt2 ended early");
      const milliseconds = /train loss .* \(took ([\d.]+) ms\)/.exec(value)?.[1];
      if (milliseconds !== undefined) round.push(Number(milliseconds) / 1000);
    }
    this.child.kill("SIGSTOP");
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    this.peakBytes = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    if (counts) this.seconds.push(round.reduce((sum, each) => sum + each, 0) / count);
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

if (peerFolder === undefined) throw new Error("Set LLM_C to the folder of llm.c's train_gpt2");
const folder = mkdtempSync(join(tmpdir(), "llm-c-"));
try {
  writeWithHeader(join(folder, "gpt2_124M.bin"), [20240326, 3, P, V, L, H, D, paddedVocabSize], weights());
  const data = join(folder, "dev/data/tinyshakespeare");
  mkdirSync(data, { recursive: true });
  const tokens = Uint16Array.from({ length: 100_000 }, () => Math.floor(Math.random() * V));
  for (const part of ["train", "val"])
    writeWithHeader(join(data, `tiny_shakespeare_${part}.bin`), [20240520, 1, tokens.length], [new Uint8Array(tokens.buffer)]);

  const peer = new LlmC(resolve(peerFolder, "train_gpt2"), folder);
  await peer.run(1, false);
  const here = fileURLToPath(new URL("contender.ts", import.meta.url));
  const ours = await Contender.ofSource("perennial", here, [values.threads], threads).start();
  await ours.run(1, false);
  for (let round = 0; round < rounds; round++) {
    await ours.run(steps);
    await peer.run(steps);
  }
  ours.stop();
  peer.stop();
  console.log(`GPT-2 124 M, batch ${B} × ${T}, float32, ${threads} threads, median of ${rounds} rounds of ${steps} steps`);
  console.log(`${machineLine()}\n`);
  console.log("| contender | tokens/s | our speed against it | peak memory |\n|---|---|---|---|");
  console.log(`| perennial | ${((B * T) / median(ours.seconds)).toFixed(0)} | | ${mebibytes(ours.peakBytes)} |`);
  console.log(
    `| llm.c | ${((B * T) / median(peer.seconds)).toFixed(0)} | ${ratioText(ours.seconds, peer.seconds)} | ${mebibytes(peer.peakBytes)} |`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
