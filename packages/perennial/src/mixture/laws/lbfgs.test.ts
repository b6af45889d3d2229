import { expect, test } from "vitest";
import { huber } from "./huber.ts";
import { minimize, type Objective } from "./lbfgs.ts";

const rosenbrock: Objective = (x, g) => {
  let sum = 0;
  g.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const a = 1 - x[i]!;
    const b = x[i + 1]! - x[i]! ** 2;
    sum += a * a + 100 * b * b;
    g[i]! += -2 * a - 400 * x[i]! * b;
    g[i + 1]! += 200 * b;
  }
  return sum;
};

test.each([2, 9, 20])("finds the minimum of Rosenbrock's valley in %i dimensions", (n) => {
  const { x, value, iterations } = minimize(rosenbrock, new Float64Array(n).fill(-0.5));
  expect(value).toBeLessThan(1e-18);
  for (const xi of x) expect(xi).toBeCloseTo(1, 8);
  expect(iterations).toBeLessThan(200);
});

test("a quadratic of n dimensions takes about n steps, whatever its scales", () => {
  const scales = [1e-3, 1, 1e3, 50];
  const { x, iterations } = minimize(
    (v, g) => {
      let sum = 0;
      for (let i = 0; i < v.length; i++) {
        g[i] = scales[i]! * (v[i]! - i);
        sum += 0.5 * scales[i]! * (v[i]! - i) ** 2;
      }
      return sum;
    },
    [9, 9, 9, 9],
    { relativeTolerance: 0 },
  );
  for (const [i, xi] of x.entries()) expect(xi).toBeCloseTo(i, 6);
  expect(iterations).toBeLessThan(40);
});

test("steps back from where the objective is not a number", () => {
  const objective: Objective = (x, g) => {
    g[0] = 1 - 1 / x[0]!;
    return x[0]! > 0 ? x[0]! - Math.log(x[0]!) : Number.NaN;
  };
  expect(minimize(objective, [20]).x[0]).toBeCloseTo(1, 7);
});

test("stops after maxIterations and says so", () => {
  expect(minimize(rosenbrock, [-1.2, 1], { maxIterations: 3 })).toMatchObject({ iterations: 3, stopped: "iterations" });
});

test("Huber: quadratic to delta, linear beyond, continuous between", () => {
  expect(huber(0.5, 1)).toBe(0.125);
  expect(huber(-3, 1)).toBe(2.5);
  expect(huber(1 + 1e-12, 1)).toBeCloseTo(huber(1, 1), 11);
});
