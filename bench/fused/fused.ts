/**
 * Does each fused operator pay? Forward and backward against its plain composition, on the shapes of the 7 M decoder.
 *   npx tsx --conditions source bench/fused/fused.ts [float32|bfloat16] [rounds]
 * Interleaved rounds in one process; results are compared before times count. In bfloat16 both run inside autocast.
 */
import { autocast, type Dtype, fused, grad, keepFreedMemory, manualSeed, scope, setNumThreads, type Tensor, torch } from "@perennial/torch";
import { median } from "../contender.ts";

const [dtype = "float32", roundsText = "15"] = process.argv.slice(2);
const low = dtype === "bfloat16";
const [N, D, F, V, B, T, H] = [2048, 256, 688, 8192, 8, 256, 4] as const;
keepFreedMemory();
setNumThreads(2);
manualSeed(0);
const leaf = (...shape: number[]) => torch.randn(shape).requiresGrad_();
/** What a matrix product gives: of the dtype under test. */
const activation = (...shape: number[]) =>
  torch
    .randn(shape)
    .to(dtype as Dtype)
    .requiresGrad_();
const weight = (...shape: number[]) => torch.randn(shape).mul(0.02).requiresGrad_();
const half = torch.randn([1, T, D / H / 2]);
const angles = torch.cat([half, half], -1);
const labels = torch.randint(V, [N]).long();
const documents = Array.from({ length: B }, (_, row) => [row, 0, 100, row, 100, T]).flat();
const wholeRows = Array.from({ length: B }, (_, row) => [row, 0, T]).flat();
// As the model has them: heads lie inside positions.
const heads = () =>
  activation(B, T, H, D / H)
    .transpose(1, 2)
    .detach()
    .requiresGrad_();
const { reference } = fused;
type Operator = (...x: Tensor[]) => Tensor;
const all = (outputs: readonly Tensor[]) => torch.cat(outputs, -1);

const cases: [name: string, inputs: Tensor[], fast: Operator, plain: Operator][] = [
  ["RMSNorm", [leaf(N, D), leaf(D)], (x, w) => fused.rmsNorm(x!, w!, 1e-5), (x, w) => reference.rmsNorm(x!, w!, 1e-5)],
  [
    "RMSNorm with residual",
    [activation(N, D), leaf(N, D), leaf(D)],
    (x, r, w) => fused.addRmsNorm(x!, r!, w!, 1e-5)[1],
    (x, r, w) => reference.addRmsNorm(x!, r!, w!, 1e-5)[1],
  ],
  ["SwiGLU", [activation(N, F), activation(N, F)], (g, u) => fused.swiglu(g!, u!), (g, u) => reference.swiglu(g!, u!)],
  [
    "rotary embedding",
    [activation(B, T, H, D / H)],
    (x) => fused.rope(x!, angles.cos(), angles.sin()),
    (x) => reference.rope(x!, angles.cos(), angles.sin()),
  ],
  [
    "three linear layers of one input",
    [activation(N, D), weight(D, D), weight(D, D), weight(D, D)],
    (x, ...weights) => all(fused.linears(x!, weights)),
    (x, ...weights) => all(reference.linears(x!, weights)),
  ],
  [
    "linear + cross-entropy",
    [activation(N, D), weight(V, D)],
    (h, w) => fused.linearCrossEntropy(h!, w!, labels)[0],
    (h, w) => reference.linearCrossEntropy(h!, w!, labels)[0],
  ],
  [
    "attention over whole rows",
    [heads(), heads(), heads()],
    (q, k, v) => fused.documentAttention(q!, k!, v!, wholeRows, 0.125),
    (q, k, v) => torch.scaledDotProductAttention(q!, k!, v!, { isCausal: true, scale: 0.125 }),
  ],
  [
    "attention inside documents",
    [heads(), heads(), heads()],
    (q, k, v) => fused.documentAttention(q!, k!, v!, documents, 0.125),
    (q, k, v) => reference.documentAttention(q!, k!, v!, documents, 0.125),
  ],
];

console.log(`${dtype}, libtorch's own products of bfloat16: ${fused.multipliesBf16() ? "yes" : "no"}\n`);
console.log("| operator, forward + backward | fused, ms | plain, ms | plain / fused, per round: median |\n|---|---|---|---|");
for (const [name, inputs, fast, plain] of cases) {
  const run = (f: Operator) => {
    const start = performance.now();
    const value = scope(() => {
      const output = autocast({ dtype: "bfloat16", enabled: low }, () => f(...inputs))
        .float()
        .square()
        .mean();
      grad(output, inputs);
      return output.item();
    });
    return { value, ms: performance.now() - start };
  };
  const [a, b] = [run(fast).value, run(plain).value];
  if (Math.abs(a - b) > (low ? 2e-2 : 1e-3) * Math.abs(b)) throw new Error(`${name}: the fused operator gives ${a}, its reference ${b}`);
  const rounds = Array.from({ length: Number(roundsText) }, () => ({ fast: run(fast).ms, plain: run(plain).ms }));
  console.log(
    `| ${name} | ${median(rounds.map((round) => round.fast)).toFixed(2)} | ${median(rounds.map((round) => round.plain)).toFixed(2)} | ${median(rounds.map((round) => round.plain / round.fast)).toFixed(2)}× |`,
  );
}
