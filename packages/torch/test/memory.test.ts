/** Memory is behavior: what scopes free, what they let through, and what is said about a tensor that is gone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { debugDisposal, keep, liveTensors, memory, nn, openScope, optim, scope, type Tensor, tensor, torch } from "../src/index.ts";

afterEach(() => debugDisposal(false));

function leftBehind(body: () => void): number {
  const before = liveTensors();
  body();
  return liveTensors() - before;
}

test("a scope frees what it created, also when it throws, and passes the error on", () => {
  expect(leftBehind(() => scope(() => void torch.ones([3]).add(1).mul(2)))).toBe(0);
  const failure = new Error("mine");
  const fails = () =>
    scope(() => {
      torch.ones([3]);
      throw failure;
    });
  expect(leftBehind(() => expect(fails).toThrow(failure))).toBe(0);
  expect(leftBehind(() => scope(() => expect(() => torch.ones([2]).matmul(torch.ones([3]))).toThrow()))).toBe(0);
});

test("what is returned lives on, in whatever it is wrapped", () => {
  const one = () => torch.ones([1]);
  const wraps: [number, () => unknown][] = [
    [1, () => one()],
    [2, () => [one(), [one()]]],
    [2, () => ({ a: one(), deep: { b: one() } })],
    [1, () => new Map([["a", one()]])],
    [1, () => new Set([one()])],
    [1, () => Object.assign(Object.create({ inherited: 1 }) as object, { mine: one() })],
    [0, () => 5],
    [0, () => null],
  ];
  for (const [count, body] of wraps)
    expect(
      leftBehind(() =>
        scope(() => {
          const inner = scope(() => {
            one();
            return body();
          });
          one();
          return inner;
        }),
      ),
    ).toBe(count);
});

test("a returned tensor belongs to the scope around", () => {
  let escaped: Tensor | undefined;
  scope(() => {
    escaped = scope(() => torch.ones([2]));
    expect(escaped.isDisposed).toBe(false);
    expect(escaped.toArray()).toEqual([1, 1]);
  });
  expect(escaped!.isDisposed).toBe(true);
});

test("keep outlives every scope; disposing twice does nothing", () => {
  let kept!: Tensor;
  scope(() => {
    scope(() => {
      kept = keep(torch.ones([2]));
    });
  });
  expect(kept.toArray()).toEqual([1, 1]);
  const disposeThrice = () => {
    for (let i = 0; i < 3; i++) kept.dispose();
  };
  expect(leftBehind(disposeThrice)).toBe(-1);
  expect(kept.isDisposed).toBe(true);
});

test("use after disposal is an error that says what to do, and where it happened in debug mode", () => {
  const gone = torch.ones([2]);
  gone.dispose();
  expect(() => gone.add(1)).toThrow(
    "its scope ended or dispose() was called. Return it from its scope, or keep() it. debugDisposal(true) records where.",
  );
  expect(() => gone.shape).toThrow("This Tensor was disposed of");
  expect(() => torch.cat([torch.ones([1]), gone])).toThrow("This Tensor was disposed of");
  debugDisposal(true);
  function theCulprit(x: Tensor) {
    x.dispose();
  }
  const traced = torch.ones([2]);
  theCulprit(traced);
  expect(() => traced.item()).toThrow(/disposed here[\s\S]*theCulprit/);
  let scoped!: Tensor;
  scope(function theScope() {
    scoped = torch.ones([1]);
  });
  expect(() => scoped.item()).toThrow(/disposed here[\s\S]*memory\.test/);
});

test("an asynchronous body is refused, and its tensors are freed", () => {
  expect(
    leftBehind(() =>
      expect(() =>
        scope(() => {
          torch.ones([3]);
          return Promise.resolve(1);
        }),
      ).toThrow("scope() needs a synchronous function"),
    ),
  ).toBe(0);
  // What the rest of an async function throws is its own promise's affair, but nothing is left open here.
  expect(() => scope(async () => 1)).toThrow(TypeError);
  expect(leftBehind(() => scope(() => void torch.ones([1])))).toBe(0);
});

test("an open scope is closed by hand or by `using`, in reverse order", () => {
  const before = liveTensors();
  const outer = openScope();
  torch.ones([1]);
  const inner = openScope();
  torch.ones([1]);
  expect(() => outer.close()).toThrow("reverse order");
  expect(liveTensors() - before).toBe(2);
  inner[Symbol.dispose]();
  expect(liveTensors() - before).toBe(1);
  outer.close();
  outer.close();
  inner.close();
  expect(liveTensors()).toBe(before);
});

test("a tensor has Symbol.dispose", () => {
  expect(leftBehind(() => torch.ones([1])[Symbol.dispose]())).toBe(0);
});

test("a step leaves only the gradients behind", () => {
  scope(() => {
    const model = new nn.Sequential(new nn.Linear(4, 8), new nn.GELU(), new nn.LayerNorm(8), new nn.Linear(8, 2));
    const optimizer = new optim.AdamW(model.parameters);
    const x = torch.randn([3, 4]);
    const gradients: unknown[] = [];
    expect(leftBehind(() => scope(() => model.forward(x).square().sum().backward()))).toBe(0);
    // Each look at a gradient is a tensor of its own; the gradients themselves hang on the parameters.
    expect(leftBehind(() => gradients.push(...model.parameters.map((parameter) => parameter.grad)))).toBe(model.parameters.length);
    expect(leftBehind(() => void optimizer.step())).toBe(2 * model.parameters.length);
    expect(leftBehind(() => void optimizer.step().zeroGrad())).toBe(0);
    expect(leftBehind(() => optimizer.dispose())).toBe(-2 * model.parameters.length);
    expect(leftBehind(() => model.dispose())).toBe(-6);
  });
});

test("memory() counts a buffer once, however many views it has", () => {
  scope(() => {
    const before = memory();
    const x = torch.ones([1000]);
    x.view([10, 100]).t();
    expect(memory().liveBytes - before.liveBytes).toBe(4000);
    expect(memory().liveTensors - before.liveTensors).toBe(3);
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

test("outside of scopes the collector frees what became unreachable", async () => {
  const before = memory();
  (() => {
    for (let i = 0; i < 20; i++) torch.zeros([1000]);
  })();
  for (let round = 0; round < 50 && memory().liveTensors > before.liveTensors; round++) {
    collectGarbage();
    await new Promise((done) => setTimeout(done, 10));
  }
  expect(memory().liveTensors).toBeLessThanOrEqual(before.liveTensors);
  expect(memory().unscopedTensors).toBeLessThanOrEqual(before.unscopedTensors);
});

test("a loop without a scope that yields now and then stays small: V8 collects because it sees the bytes", async () => {
  let most = 0;
  for (let i = 0; i < 400; i++) {
    torch.zeros([1 << 20]);
    if (i % 10 === 0) await new Promise((done) => setImmediate(done));
    most = Math.max(most, memory().liveBytes);
  }
  // 1.6 GiB pass through; without the report nothing would be collected before the end.
  expect(most).toBeLessThan(1 << 30);
});

test("10,000 training steps keep the resident memory flat after step 500", () => {
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.SiLU(), new nn.Linear(8, 1));
  const optimizer = new optim.SGD(model.parameters, { learningRate: 0.01, momentum: 0.9 });
  const x = keep(tensor([[1, 2, 3, 4]]));
  let settled = 0;
  for (let step = 0; step < 10_000; step++) {
    scope(() => {
      model.forward(x).square().sum().backward();
      optimizer.step().zeroGrad();
    });
    if (step === 500) {
      collectGarbage();
      settled = process.memoryUsage().rss;
    }
  }
  collectGarbage();
  expect((process.memoryUsage().rss - settled) / 2 ** 20).toBeLessThan(24);
});

test("using: a tensor and a scope end with their block", () => {
  let inside: Tensor;
  let own: Tensor;
  const before = liveTensors();
  {
    using x = torch.ones([2]);
    own = x;
    using _ = openScope();
    inside = x.add(1);
    expect(inside.toArray()).toEqual([2, 2]);
  }
  expect(inside.isDisposed && own.isDisposed).toBe(true);
  expect(liveTensors()).toBe(before);
});
