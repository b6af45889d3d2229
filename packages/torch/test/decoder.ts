/** The decoder of `tools/golden/torch_training.py`, of plain operators; its weights and batches in the same order of random numbers. */
import { nn, type Tensor, torch } from "../src/index.ts";

// V vocabulary · D hidden · L layers · H heads · K key-value heads · E head size · F feed-forward · B batch · T positions
export const [V, D, L, H, K, E, F, B, T] = [64, 32, 4, 4, 2, 8, 48, 2, 12] as const;
const layerShapes: [string, number[]][] = [
  ["norm1", [D]],
  ["q", [H * E, D]],
  ["k", [K * E, D]],
  ["v", [K * E, D]],
  ["o", [D, H * E]],
  ["norm2", [D]],
  ["gate", [F, D]],
  ["up", [F, D]],
  ["down", [D, F]],
];
export const shapes: [string, number[]][] = [
  ["embed", [V, D]],
  ...Array.from({ length: L }, (_, l) => layerShapes.map(([name, shape]): [string, number[]] => [`${l}.${name}`, shape])).flat(),
  ["norm", [D]],
  ["head", [V, D]],
];

export type Weights = ReadonlyMap<string, Tensor>;
const norm = (x: Tensor, weight: Tensor) => x.mul(torch.rsqrt(x.pow(2).mean([-1], true).add(1e-6))).mul(weight);

export function lossOf(weights: Weights, ids: Tensor): Tensor {
  const w = (name: string) => weights.get(name)!;
  const frequencies = torch.pow(10000, torch.arange(0, E, 2, { dtype: "float32" }).div(-E));
  const half = torch.arange(T, { dtype: "float32" }).view([T, 1]).mul(frequencies);
  const angles = torch.cat([half, half], -1); // [T,E]
  const [cos, sin] = [angles.cos(), angles.sin()];
  const rope = (x: Tensor) => x.mul(cos).add(torch.cat([x.slice(-1, E / 2, E).neg(), x.slice(-1, 0, E / 2)], -1).mul(sin));
  const heads = (x: Tensor, name: string) => torch.linear(x, w(name)).reshape([B, T, -1, E]).transpose(1, 2); // [B,·,T,E]
  const mask = torch.full([T, T], Number.NEGATIVE_INFINITY).triu(1);
  let hidden = torch.embedding(w("embed"), ids.slice(1, 0, T)); // [B,T,D]
  for (let l = 0; l < L; l++) {
    const x = norm(hidden, w(`${l}.norm1`));
    const q = rope(heads(x, `${l}.q`));
    const k = rope(heads(x, `${l}.k`)).repeatInterleave(H / K, 1);
    const v = heads(x, `${l}.v`).repeatInterleave(H / K, 1);
    const scores = q
      .matmul(k.transpose(-2, -1))
      .mul(E ** -0.5)
      .add(mask)
      .softmax(-1); // [B,H,T,T]
    const attended = scores
      .matmul(v)
      .transpose(1, 2)
      .reshape([B, T, H * E]);
    hidden = hidden.add(torch.linear(attended, w(`${l}.o`)));
    const y = norm(hidden, w(`${l}.norm2`));
    const gated = torch.silu(torch.linear(y, w(`${l}.gate`))).mul(torch.linear(y, w(`${l}.up`)));
    hidden = hidden.add(torch.linear(gated, w(`${l}.down`)));
  }
  const logits = torch.linear(norm(hidden, w("norm")), w("head"));
  return nn.crossEntropy(logits.reshape([-1, V]), ids.slice(1, 1, T + 1).reshape([-1]));
}

export const makeWeights = (): Weights =>
  new Map(shapes.map(([name, shape]) => [name, nn.parameter(name.includes("norm") ? torch.ones(shape) : torch.randn(shape).mul(0.15))]));

/** Token ids [B,T+1]. */
export const nextBatch = (): Tensor => torch.randint(0, V, [B, T + 1], { dtype: "int64" }).floorDivide(2);

export const OPTIMIZER = { learningRate: 3e-3, weightDecay: 0.1, beta1: 0.9, beta2: 0.95 } as const;

export interface Step {
  readonly loss: number;
  readonly norms: readonly number[];
}
export type GoldenSteps = { readonly decoder: Readonly<Record<"float32" | "bfloat16", readonly Step[]>> };
