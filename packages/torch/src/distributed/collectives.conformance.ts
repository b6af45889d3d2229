/** Every collective against its closed form, seen from one process. */
import assert from "node:assert/strict";
import { type Dtype, scope, type Tensor, tensor, torch } from "../index.ts";
import type { ProcessGroup, Reduction } from "./index.ts";

export async function checkCollectives(group: ProcessGroup): Promise<void> {
  const { rank, size } = group;
  const ranks = Array.from({ length: size }, (_, r) => r);

  /** Small integers, exact in every dtype; different in every process and at every place. */
  const element = (r: number, i: number) => ((r * 3 + i * 5) % 4) + 1;
  const values = (r: number, length: number) => Array.from({ length }, (_, i) => element(r, i));
  const numbers = (x: Tensor) => Array.from(x.to("float64").reshape([-1]).toTypedArray() as Float64Array);
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  const CLOSED: Readonly<Record<Reduction, (list: readonly number[]) => number>> = {
    sum,
    mean: (list) => sum(list) / size,
    max: (list) => Math.max(...list),
    min: (list) => Math.min(...list),
    product: (list) => list.reduce((a, b) => a * b, 1),
  };
  const reduced = (reduction: Reduction, length: number) =>
    Array.from({ length }, (_, i) => CLOSED[reduction](ranks.map((r) => element(r, i))));

  for (const dtype of ["float32", "float64", "bfloat16", "int64", "int32"] as const satisfies readonly Dtype[]) {
    const own = (length: number) => tensor(values(rank, length)).to(dtype);
    for (const length of [1, 7, 257]) {
      for (const reduction of ["sum", "mean", "max", "min", "product"] as const) {
        if (reduction === "mean" && dtype.startsWith("int")) {
          assert.throws(() => group.allReduce(own(length), reduction), /allReduce.*mean of integers.*int/);
          continue;
        }
        const x = own(length);
        assert.equal(group.allReduce(x, reduction), x);
        assert.equal(x.dtype, dtype);
        assert.deepEqual(numbers(x), reduced(reduction, length), `${reduction} of ${dtype}[${length}]`);
        assert.deepEqual(numbers(await group.allReduceAsync(own(length), reduction)), reduced(reduction, length));
        const whole = tensor(Array.from({ length: size * length }, (_, i) => element(rank, i)))
          .to(dtype)
          .view([size * length]);
        const part = group.reduceScatter(whole, reduction);
        assert.deepEqual(numbers(part), reduced(reduction, size * length).slice(rank * length, (rank + 1) * length));
        assert.deepEqual(numbers(await group.reduceScatterAsync(whole, reduction)), numbers(part));
      }
      const everything = ranks.flatMap((r) => values(r, length));
      const gathered = group.allGather(own(length));
      assert.deepEqual(gathered.shape, [size, length]);
      assert.deepEqual(numbers(gathered), everything);
      assert.deepEqual(numbers(await group.allGatherAsync(own(length))), everything);
      const root = size - 1;
      for (const collected of [group.gather(own(length), root), await group.gatherAsync(own(length), root)]) {
        if (rank === root) assert.deepEqual(numbers(collected!), everything);
        else assert.equal(collected, null);
      }
      assert.deepEqual(numbers(group.broadcast(own(length), root)), values(root, length));
      assert.deepEqual(numbers(await group.broadcastAsync(own(length))), values(0, length));
    }
  }

  // Views: only their own elements change.
  const square = tensor(values(rank, 12)).view([3, 4]);
  group.allReduce(square.t().at(1));
  assert.deepEqual(
    numbers(square),
    values(rank, 12).map((value, i) => (i % 4 === 1 ? sum(ranks.map((r) => element(r, i))) : value)),
  );
  assert.deepEqual(group.allGather(torch.zeros([0, 3])).shape, [size, 0, 3]);
  assert.deepEqual(group.allGather(tensor(rank)).shape, [size]);
  assert.throws(() => group.reduceScatter(torch.zeros([size + 1])), /must be a multiple of the \d processes/);
  assert.throws(() => group.broadcast(square, size), /root: expected a rank from 0 to/);

  // Many operations under way at once, on tensors that their scope has freed meanwhile.
  const pending: Promise<Tensor>[] = [];
  for (let n = 0; n < 20; n++)
    scope(() => {
      pending.push(group.allGatherAsync(torch.full([1000], n * 10 + rank)));
    });
  for (const [n, gathered] of (await Promise.all(pending)).entries())
    assert.deepEqual(
      numbers(gathered.sum(1)),
      ranks.map((r) => 1000 * (n * 10 + r)),
    );

  assert.equal(group.sum(rank + 0.5), sum(ranks) + size / 2);
  assert.deepEqual(group.sum([rank, 1, -(2 ** 40)]), [sum(ranks), size, -(2 ** 40) * size]);
  group.barrier();
  await group.barrierAsync();
}
