/**
 * The gradient reducer, seen from one process. Every process builds the same network and a batch of its own; the sums of the reducer
 * must be the gradients that one process gets from all batches.
 */
import assert from "node:assert/strict";
import { backward, customFunction, distributed, enableGrad, manualSeed, nn, scope, type Tensor, torch } from "../index.ts";
import type { ProcessGroup } from "./index.ts";

export function checkReducer(group: ProcessGroup): void {
  const { rank, size } = group;
  const ranks = Array.from({ length: size }, (_, r) => r);
  const MICRO_BATCHES = 3;

  manualSeed(5);
  const first = new nn.Linear(7, 33);
  const second = new nn.Linear(33, 5);
  const unused = torch.randn([9]).requiresGrad_();
  const onlyInLast = torch.randn([33]).requiresGrad_();
  const halfPrecision = torch.randn([5]).to("bfloat16").requiresGrad_();
  const parameters = [...first.parameters, unused, ...second.parameters, onlyInLast, halfPrecision];
  const inputs = ranks.map(() => Array.from({ length: MICRO_BATCHES }, () => torch.randn([4, 7])));

  /** `order` decides which branch is recorded first, and so in which order gradients arrive. */
  function loss(r: number, x: Tensor): Tensor {
    let hidden = first.forward(x);
    if (r === size - 1) hidden = hidden.mul(onlyInLast);
    const [a, b] =
      r % 2 === 0
        ? [second.forward(hidden.tanh()), second.forward(hidden.sigmoid())]
        : [second.forward(hidden.sigmoid()), second.forward(hidden.tanh())];
    return a!
      .mul(b!)
      .sum()
      .add(halfPrecision.to("float32").mul(a!.sum(0)).sum());
  }

  const clear = () => {
    for (const parameter of parameters) parameter.grad = null;
  };
  const gradients = () => parameters.map(({ grad }) => grad?.to("float32").clone() ?? null);

  function compare(actual: (Tensor | null)[], expected: (Tensor | null)[], label: string): void {
    for (const [i, gradient] of actual.entries()) {
      const other = expected[i]!;
      assert.equal(gradient === null, other === null, `${label}: gradient ${i} is there in one and not in the other`);
      if (gradient === null) continue;
      const tolerance = parameters[i]!.dtype === "bfloat16" ? 3e-2 : 1e-5;
      const difference = gradient.sub(other).abs().max().item();
      assert.ok(difference <= tolerance * Math.max(1, other.abs().max().item()), `${label}: gradient ${i} differs by ${difference}`);
    }
  }

  for (const r of ranks) for (const x of inputs[r]!) scope(() => loss(r, x).backward());
  const expected = gradients();

  for (const [bucketBytes, overlap] of [
    [25 * 2 ** 20, true],
    [600, true],
    [1, true],
    [600, false],
  ] as const) {
    const reducer = new distributed.GradientReducer(group, parameters, { bucketBytes, overlap });
    for (let step = 0; step < 3; step++) {
      clear();
      for (const [i, x] of inputs[rank]!.entries()) {
        if (i === MICRO_BATCHES - 1 && step !== 1) reducer.begin(); // step 1: everything is sent by finish()
        scope(() => loss(rank, x).backward());
      }
      reducer.finish();
      compare(gradients(), expected, `buckets of ${bucketBytes}, overlap ${overlap}, step ${step}`);
    }
    assert.equal(unused.grad, null);
    reducer.begin();
    assert.throws(() => reducer.begin(), /begin\(\) was called already/);
    reducer.finish();
    reducer.dispose();
    // Without its hooks a backward sends nothing.
    clear();
    scope(() => loss(rank, inputs[rank]![0]!).backward());
  }

  // A checkpointed part inside: its own backward reaches the shared parameter before or after the outer one does.
  const shared = torch.ones([3]).requiresGrad_();
  const twice = new distributed.GradientReducer(group, [shared], {});
  twice.begin();
  const x = torch.ones([3]).requiresGrad_();
  const [inner] = customFunction(
    [x],
    () => [x.mul(shared)] as const,
    ([gradient]) => {
      enableGrad(() => backward([x.detach().mul(shared)], [gradient!]));
      return [gradient!.mul(shared.detach())];
    },
  );
  assert.throws(() => inner.mul(shared).sum().backward(), /received a gradient after its bucket was sent.*overlap: false/);
  twice.finish();
  twice.dispose();
}
