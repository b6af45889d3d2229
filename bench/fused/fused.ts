/**
 * Does each fused operator pay? Forward and backward against its plain composition, on the shapes of the 7 M decoder.
 *   npx tsx --conditions source bench/fused/fused.ts
 * Interleaved rounds in one process; results are compared before times count.
 */
import { fused, grad, keepFreedMemory, manualSeed, scope, setNumThreads, type Tensor, torch } from "@perennial/torch";

const [N, D, F, V, B, T, H] = [2048, 256, 688, 8192, 8, 256, 4] as const;
keepFreedMemory();
setNumThreads(2);
manualSeed(0);
const leaf = (...shape: number[]) => torch.randn(shape).requiresGrad_();
const half = torch.randn([1, T, D / H / 2]);
const angles = torch.cat([half, half], -1);
const labels = torch.randint(V, [N]).long();
const documents = Array.from({ length: B }, (_, row) => [row, 0, 100, row, 100, T]).flat();
const heads = () => leaf(B, H, T, D / H);
const { reference } = fused;

const cases: [name: string, inputs: Tensor[], fast: (...x: Tensor[]) => Tensor, plain: (...x: Tensor[]) => Tensor][] = [
  [
    "RMSNorm with residual",
    [leaf(N, D), leaf(N, D), leaf(D)],
    (x, r, w) => fused.addRmsNorm(x!, r!, w!, 1e-5)[1],
    (x, r, w) => reference.addRmsNorm(x!, r!, w!, 1e-5)[1],
  ],
  ["SwiGLU", [leaf(N, F), leaf(N, F)], (g, u) => fused.swiglu(g!, u!), (g, u) => reference.swiglu(g!, u!)],
  [
    "rotary embedding",
    [leaf(B, T, H, D / H)],
    (x) => fused.rope(x!, angles.cos(), angles.sin()),
    (x) => reference.rope(x!, angles.cos(), angles.sin()),
  ],
  [
    "linear + cross-entropy",
    [leaf(N, D), torch.randn([V, D]).mul(0.02).requiresGrad_()],
    (h, w) => fused.linearCrossEntropy(h!, w!, labels)[0],
    (h, w) => reference.linearCrossEntropy(h!, w!, labels)[0],
  ],
  [
    "attention inside documents",
    [heads(), heads(), heads()],
    (q, k, v) => fused.documentAttention(q!, k!, v!, documents, 0.125),
    (q, k, v) => reference.documentAttention(q!, k!, v!, documents, 0.125),
  ],
];

const median = (list: number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
console.log("| operator, forward + backward | fused, ms | plain, ms | plain / fused, per round: median |\n|---|---|---|---|");
for (const [name, inputs, fast, plain] of cases) {
  const run = (f: (...x: Tensor[]) => Tensor) => {
    const start = performance.now();
    const value = scope(() => {
      const output = f(...inputs).sum();
      grad(output, inputs);
      return output.item();
    });
    return { value, ms: performance.now() - start };
  };
  const [a, b] = [run(fast).value, run(plain).value];
  if (Math.abs(a - b) > 1e-3 * Math.max(1, Math.abs(b))) throw new Error(`${name}: the fused operator gives ${a}, its reference ${b}`);
  const rounds = Array.from({ length: 15 }, () => ({ fast: run(fast).ms, plain: run(plain).ms }));
  console.log(
    `| ${name} | ${median(rounds.map((round) => round.fast)).toFixed(2)} | ${median(rounds.map((round) => round.plain)).toFixed(2)} | ${median(rounds.map((round) => round.plain / round.fast)).toFixed(2)}× |`,
  );
}
