import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { bootstrapDcpt, predictWithBand } from "./bootstrap.ts";
import { holdOut, nearestPilot } from "./cross-validation.ts";
import { type DcptParameters, dcptLoss } from "./d-cpt.ts";
import { fitCrossDomain, predictCrossDomain } from "./d-cpt-cross-domain.ts";
import { type DcptFit, fitDcpt, predictDcpt } from "./d-cpt-fit.ts";
import { allocateCompute, type DcptPair, ratioByWeight, ratioKeepingGeneral, splitOfDomainTokens, tradeOffAt } from "./d-cpt-uses.ts";
import { goodnessOf } from "./goodness.ts";
import { keepingGeneral, tradeOff } from "./mixture-choice.ts";
import type { LossPoint } from "./points.ts";
import { lossSurface, ratioCurve, residualsOf } from "./views.ts";

const law: DcptParameters = {
  ...{ E: 1, A: 0.4, alpha: 0.3, B: 0.2, beta: 0.3, eta: 0.6, C: 0.4, gamma: 0.3, epsilon: 0.05 },
  ...{ F: 0, mu: 1, w1: 1, w2: 1 },
};

/** A fit as if the law had been recovered exactly, in units of 1. */
function known(parameters: DcptParameters, corpus: "domain" | "general"): DcptFit {
  const goodness = goodnessOf([1, 2], [1, 2]);
  const range = { ratio: [0, 1], tokens: [1, 100], modelSize: [0.5, 4] } as const;
  const rest = { form: "l3", units: { tokens: 1, modelSize: 1 }, fitted: [], delta: 1e-3, objective: 0, goodness, range } as const;
  return { law: "d-cpt", corpus, parameters, ...rest, smallestShare: 0.1, starts: [], runnerUp: null, warnings: [] };
}
const pairOf = (domain: DcptParameters, general = law): DcptPair => ({
  domain: known(domain, "domain"),
  general: known(general, "general"),
  replicas: { domain: [domain], general: [general] },
});

test("usage 1: the largest share within 3 % of the general loss is 0.534177", () => {
  const limit = 1.03 * dcptLoss(law, { modelSize: 1, tokens: 10, share: 1 });
  const answer = ratioKeepingGeneral(pairOf(law), { modelSize: 1, tokens: 10 }, limit);
  expect(Math.abs(answer.ratio! - 0.534177)).toBeLessThan(1e-6);
  expect(answer.generalLoss!.loss).toBeCloseTo(limit, 9);
  expect(answer.generalLoss!.loss).toBeLessThanOrEqual(limit);
  expect(answer.warnings).toEqual([]);
  expect(ratioKeepingGeneral(pairOf(law), { modelSize: 1, tokens: 10 }, 1)).toMatchObject({ ratio: null, domainLoss: null, answered: 0 });
});

test("a budget without the model size that the laws need is refused", () => {
  expect(() => ratioByWeight(pairOf(law), { tokens: 10 }, 0.5)).toThrow(/query\.modelSize/);
  expect(() => tradeOffAt(pairOf(law), { tokens: 10 })).toThrow(/query\.modelSize/);
  expect(() => splitOfDomainTokens(pairOf(law), Number.NaN, { modelSize: 1 })).toThrow(/tokens/);
});

test("usage 2: five units of domain tokens go best at a share of 0.372513", () => {
  const answer = splitOfDomainTokens(pairOf({ ...law, B: 0.6 }), 5, { modelSize: 1 });
  expect(answer.ratio).toBeCloseTo(0.372513, 5);
  expect(answer.domainLoss!.loss).toBeCloseTo(2.07019955, 8);
  expect(answer.tokens).toBeCloseTo(5 / 0.372513, 3);
  // With room for 10 units in all, the share cannot be smaller than a half.
  expect(splitOfDomainTokens(pairOf({ ...law, B: 0.6 }), 5, { modelSize: 1, maxTokens: 10 }).ratio).toBeCloseTo(0.5, 9);
});

test("usage 3: N* = 20.079212 and D* = 0.498028 at 60 FLOPs; moving 5 % either way costs loss", () => {
  const fit = known(law, "domain");
  const best = allocateCompute(fit, 0.5, 60);
  expect(best.modelSize).toBeCloseTo(20.079212, 5);
  expect(best.tokens).toBeCloseTo(0.498028, 6);
  expect(best.extrapolates).toEqual(["tokens", "modelSize"]);
  for (const move of [0.95, 1.05]) {
    const moved = predictDcpt(fit, { ratio: 0.5, modelSize: best.modelSize * move, tokens: best.tokens / move });
    expect(moved.loss).toBeGreaterThan(best.loss);
  }
});

test("the published table of real losses crosses its limit at 0.92445", () => {
  const ratios = [0.9, 0.91, 0.92, 0.924, 0.93, 0.94, 1];
  const interpolate = (losses: readonly number[]) => (ratio: number) => {
    const i = Math.min(ratios.length - 2, Math.max(0, ratios.findIndex((r) => r > ratio) - 1));
    return losses[i]! + ((ratio - ratios[i]!) / (ratios[i + 1]! - ratios[i]!)) * (losses[i + 1]! - losses[i]!);
  };
  const general = interpolate([2.9052, 2.9193, 2.9376, 2.9445, 2.9644, 2.9848, 3.4667]);
  const domain = (ratio: number) => 1.8 - 0.07 * ratio;
  expect(keepingGeneral({ domain, general }, 1.03 * 2.8602)).toBeCloseTo(0.92445, 4);
});

test("Pareto: a share that is worse in both losses is not efficient", () => {
  const points = tradeOff({ domain: (r) => (r < 0.2 ? 3 : 2 - r), general: (r) => 1 + r }, 10);
  expect(points.filter((point) => !point.efficient).map((point) => point.ratio)).toEqual([0.1]);
  expect(tradeOffAt(pairOf(law), { modelSize: 1, tokens: 10 }).every((point) => point.efficient)).toBe(true);
  expect(ratioByWeight(pairOf(law), { modelSize: 1, tokens: 10 }, 1).ratio).toBeCloseTo(1, 6);
});

/** Five runs of one model, each with its own error and the same law. */
function pilots(seed: number, noise: number, corpus: "domain" | "general", ratios = [0.125, 0.25, 0.33, 0.5, 0.75]): LossPoint[] {
  const random = stream(seed, `pilots ${corpus}`);
  return ratios.flatMap((ratio) => {
    const run = noise * random.normal();
    return Array.from({ length: 15 }, (_, i) => {
      const tokens = 1.3 ** i * 1e6;
      const share = corpus === "domain" ? ratio : 1 - ratio;
      const loss = dcptLoss({ ...law, A: 0, E: 1.4 }, { modelSize: 1, tokens: tokens / 1e6, share });
      return { ratio, tokens, loss: loss * Math.exp(run + 0.3 * noise * random.normal()) };
    });
  });
}

test("bands cover the truth about as often as they say, and are repeatable", () => {
  const query = { ratio: 0.4, tokens: 30e6 };
  const truth = dcptLoss({ ...law, A: 0, E: 1.4 }, { modelSize: 1, tokens: 30, share: 0.4 });
  let covered = 0;
  const trials = 8;
  for (let seed = 0; seed < trials; seed++) {
    const points = pilots(seed, 2e-3, "domain");
    const fit = fitDcpt(points, { corpus: "domain" });
    const band = predictWithBand(fit, bootstrapDcpt(fit, points, { seed, replicas: 20 }), query);
    if (band.low <= truth && truth <= band.high) covered++;
    expect(band.low).toBeLessThan(band.high);
  }
  expect(covered).toBeGreaterThanOrEqual(6);
  const points = pilots(1, 1e-3, "domain");
  const fit = fitDcpt(points, { corpus: "domain" });
  expect(bootstrapDcpt(fit, points, { seed: 3, replicas: 4 })).toEqual(bootstrapDcpt(fit, points, { seed: 3, replicas: 4 }));
  expect(bootstrapDcpt(fit, points, { seed: 3, replicas: 4 })).not.toEqual(bootstrapDcpt(fit, points, { seed: 4, replicas: 4 }));
});

test("views: a curve with its band, a surface, residuals of the size of the noise", () => {
  const points = pilots(1, 1e-3, "domain");
  const fit = fitDcpt(points, { corpus: "domain" });
  const curve = ratioCurve(fit, bootstrapDcpt(fit, points, { seed: 1, replicas: 20 }), () => ({ tokens: 10e6 }), 10);
  expect(curve.map((point) => point.ratio)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  expect(curve.map((point) => point.extrapolates.length)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
  const surface = lossSurface(fit, [0.25, 0.75], [2e6, 8e6, 20e6]);
  expect(surface[1]![1]).toBe(predictDcpt(fit, { ratio: 0.75, tokens: 8e6 }).loss);
  for (const row of surface) expect([...row].sort((a, b) => b - a)).toEqual(row);
  const residuals = residualsOf(fit, points);
  expect(residuals[3]!.predicted * Math.exp(residuals[3]!.residual)).toBeCloseTo(points[3]!.loss, 12);
  expect(Math.abs(residuals.reduce((sum, { residual }) => sum + residual, 0) / residuals.length)).toBeLessThan(1e-3);
});

test("held-out ratios are predicted better than by their nearest pilot", () => {
  const points = pilots(4, 1e-3, "domain", [0.1, 0.2, 0.33, 0.5, 0.67, 0.9]);
  const byLaw = holdOut(points, "ratio", (kept) => {
    const fit = fitDcpt(kept, { corpus: "domain" });
    return (query) => predictDcpt(fit, query).loss;
  });
  expect(byLaw.rounds.map((round) => round.without)).toEqual([[0.2], [0.33], [0.5], [0.67]]);
  expect(byLaw.pooled.rSquared).toBeGreaterThan(0.95);
  const byNeighbor = holdOut(points, "ratio", nearestPilot);
  expect(byLaw.pooled.huber).toBeLessThan(byNeighbor.pooled.huber / 3);
  expect(holdOut(points, "tokens", nearestPilot).rounds[0]!.without).toHaveLength(5);
  expect(() => holdOut(points, "modelSize", nearestPilot)).toThrow(/at least 3 different values of modelSize/);
});

test("cross-domain: fitted on four domains, predicts a fifth from its probe", () => {
  const truth = { ...law, E: 0.6, F: 1, mu: 0.7, w1: 3, w2: 0.8 };
  const domains = [
    [2.2, 0.9],
    [2.9, 1.6],
    [3.6, 0.4],
    [2.5, 0.2],
    [3.1, 0.7],
  ].map(([firstLoss, fall], i) => ({
    name: `domain ${i}`,
    probe: { firstLoss: firstLoss!, lastLoss: firstLoss! - fall! * 0.1, tokens: 0.1e9 },
    points: [0.5e9, 1.8e9, 4e9].flatMap((modelSize) =>
      [1e9, 2e9, 5e9, 12e9, 26e9].flatMap((tokens) =>
        [0, 0.1, 0.33, 0.5, 0.8, 1].map((ratio) => ({
          ...{ ratio, tokens, modelSize },
          loss: dcptLoss(truth, {
            modelSize: modelSize / 1e9,
            tokens: tokens / 1e9,
            share: ratio,
            probe: { firstLoss: firstLoss!, fall: fall! },
          }),
        })),
      ),
    ),
  }));
  const fit = fitCrossDomain(domains.slice(0, 4));
  const fifth = domains[4]!;
  const goodness = goodnessOf(
    fifth.points.map((point) => point.loss),
    fifth.points.map((point) => predictCrossDomain(fit, point, fifth.probe)),
  );
  expect(goodness.rSquared).toBeGreaterThan(0.99);
  // A domain that is learned faster is predicted to end lower.
  const faster = { ...fifth.probe, lastLoss: fifth.probe.lastLoss - 0.05 };
  expect(predictCrossDomain(fit, fifth.points[9]!, faster)).toBeLessThan(predictCrossDomain(fit, fifth.points[9]!, fifth.probe));
  expect(() => fitCrossDomain(domains.slice(0, 3))).toThrow(/at least 4 domains/);
  expect(() => predictCrossDomain(fit, fifth.points[0]!, { ...fifth.probe, tokens: 0 })).toThrow(/probe\.tokens/);
});
