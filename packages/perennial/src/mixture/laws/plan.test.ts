import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { dcptLoss } from "./d-cpt.ts";
import { type PilotResult, type PilotSpec, proposePilots, type RunPilot, runPilots } from "./pilots.ts";
import { type PlanSpec, pilotsOf, planMixture, planSchema } from "./plan.ts";
import { verifyPlan } from "./verify.ts";

const rest = { A: 0, alpha: 1, F: 0, mu: 1, w1: 1, w2: 1 };
const domainLaw = { ...rest, E: 1.1, B: 0.5, beta: 0.35, eta: 0.4, C: 0.3, gamma: 0.4, epsilon: 0.03 };
const generalLaw = { ...rest, E: 1.6, B: 0.12, beta: 0.3, eta: 0.5, C: 0.25, gamma: 0.3, epsilon: 0.02 };

/** A laboratory in which the laws hold up to a little noise; counts what was really run. */
function laboratory(): { run: RunPilot; ran: string[] } {
  const ran: string[] = [];
  const run: RunPilot = async (spec) => {
    ran.push(spec.id);
    const random = stream(spec.seed, spec.id);
    const at = (tokens: number) => ({
      tokens,
      domainLoss: dcptLoss(domainLaw, { modelSize: 1, tokens: tokens / 1e6, share: spec.ratio }) * (1 + 3e-4 * random.normal()),
      generalLoss: dcptLoss(generalLaw, { modelSize: 1, tokens: tokens / 1e6, share: 1 - spec.ratio }) * (1 + 3e-4 * random.normal()),
    });
    return { id: spec.id, base: { domainLoss: 3, generalLoss: 1.88 }, checkpoints: spec.checkpoints.map(at) };
  };
  return { run, ran };
}

const spec: PlanSpec = { budgetTokens: 40e6, domainTokens: 20e6, generalTokens: 1e9, replicas: 20, pilots: { share: 0.25 } };

test("proposes one run per ratio and size, with geometric checkpoints that end at the pilot's tokens", () => {
  const pilots = proposePilots({ tokens: 1000, modelSizes: [1, 2, 3] });
  expect(pilots).toHaveLength(15);
  expect(new Set(pilots.map((pilot) => pilot.id)).size).toBe(15);
  expect(pilots[0]!.checkpoints.slice(-3)).toEqual([640, 800, 1000]);
  expect(() => proposePilots({ tokens: 1000, ratios: [0.1, 0.2, 0.3] })).toThrow(/at least 4 different ratios/);
  expect(() => proposePilots({ tokens: 1000, ratios: [0, 0.2, 0.3, 0.5] })).toThrow(/between 0 and 1/);
  expect(() => proposePilots({ tokens: 1000, modelSizes: [1, 2] })).toThrow(/at least 3 model sizes/);
  expect(() => proposePilots({ tokens: 5 })).toThrow(/enough tokens for 12 checkpoints/);
});

test("plans, recommends near the optimum with an interval, and verifies; nothing is run twice", async () => {
  const { run, ran } = laboratory();
  const store = new Map<string, PilotResult>();
  const plan = await planMixture(spec, run, store);
  expect(ran).toHaveLength(5);
  const truth = (ratio: number) => dcptLoss(generalLaw, { modelSize: 1, tokens: 40, share: 1 - ratio });
  const { ratio, low, high, epochs, generalLoss, warnings } = plan.recommendation;
  expect(Math.abs(truth(ratio!) - 1.93)).toBeLessThan(0.01);
  expect(low!).toBeLessThanOrEqual(ratio!);
  expect(high!).toBeGreaterThanOrEqual(ratio!);
  expect(epochs!.domain).toBeCloseTo(ratio! * 2, 9);
  expect(generalLoss!.extrapolates).toEqual(["tokens"]);
  expect(warnings.join(" ")).toMatch(/Extrapolation in tokens/);
  expect(plan.heldOut.domain!.law.pooled.huber).toBeLessThan(plan.heldOut.domain!.nearestPilot.pooled.huber);
  expect(plan.cmr!.ratioLaws.domain.rSquared).toBeGreaterThan(0.99);
  // At a domain share of 1 the general law's share term vanishes and would beat every share that was tried.
  expect(plan.tradeOff.every(({ efficient }) => efficient)).toBe(true);
  expect(plan.tradeOff.at(-1)!.ratio).toBeCloseTo(0.875, 9);
  expect(plan.ahead.domain.pooled.relativeError).toBeLessThan(0.005);
  expect(warnings.join(" ")).not.toMatch(/misses those/);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);

  expect(await planMixture(spec, run, store)).toEqual(plan);
  expect(ran).toHaveLength(5);

  const verification = await verifyPlan(plan, run, store);
  expect(ran).toHaveLength(8);
  expect(verification.ratios.map((r) => r.recommended)).toEqual([true, false, false]);
  for (const { domain, general } of verification.ratios) {
    expect(Math.abs(domain.relativeError)).toBeLessThan(0.02);
    expect(Math.abs(general.relativeError)).toBeLessThan(0.02);
  }
  expect(verification.ratios[2]!.allowed).toBe(false);
});

test("a plan that stopped continues where it was", async () => {
  const { run, ran } = laboratory();
  const store = new Map<string, PilotResult>();
  const failing: RunPilot = async (pilot) => {
    if (ran.length === 2) throw new Error("power cut");
    return run(pilot);
  };
  const pilots = pilotsOf(planSchema.parse(spec));
  await expect(planMixture(spec, failing, store)).rejects.toThrow("power cut");
  await runPilots(pilots, run, store);
  expect(new Set(ran).size).toBe(5);
  expect(ran).toHaveLength(5);
});

test("says when a corpus is too small for the plan, and when no share will do", async () => {
  const { run } = laboratory();
  const store = new Map<string, PilotResult>();
  const small = await planMixture({ ...spec, domainTokens: 1e6 }, run, store);
  expect(small.recommendation.warnings.join(" ")).toMatch(/domain text would be repeated \d+\.\d times/);
  const strict = await planMixture(
    { ...spec, goal: { goal: "keep-general", epsilon: 0 } },
    async (p) => {
      const result = await run(p);
      return { ...result, base: { ...result.base, generalLoss: 1.5 } };
    },
    new Map(),
  );
  expect(strict.recommendation).toMatchObject({ ratio: null, epochs: null });
  await expect(verifyPlan(strict, run, store)).rejects.toThrow(/nothing to verify/);
});

test("with several sizes, the base loss comes from the size that will be trained, or has to be given", async () => {
  const { run } = laboratory();
  const sized: RunPilot = async (pilot) => {
    const result = await run(pilot);
    const shift = 0.3 * (pilot.modelSize! / 1e6) ** -0.4;
    const base = { domainLoss: 3, generalLoss: 1.9 + shift };
    return {
      ...result,
      base,
      checkpoints: result.checkpoints.map((c) => ({ ...c, domainLoss: c.domainLoss + shift, generalLoss: c.generalLoss + shift })),
    };
  };
  const sizes = { ...spec, replicas: 20, pilots: { share: 0.25, modelSizes: [1e6, 3e6, 9e6] } };
  const store = new Map<string, PilotResult>();
  const plan = await planMixture({ ...sizes, modelSize: 3e6 }, sized, store);
  expect(plan.cmr).toBeNull();
  const spent = 6 * 3e6 * plan.recommendation.tokens;
  expect(6 * plan.compute!.modelSize * plan.compute!.tokens).toBeCloseTo(spent, -6);
  expect(plan.compute!.loss).toBeLessThanOrEqual(plan.recommendation.domainLoss!.loss + 1e-9);
  const limit = 1.95 + 0.3 * 3 ** -0.4;
  expect(plan.recommendation.generalLoss!.loss).toBeCloseTo(limit, 5);
  const never: RunPilot = () => Promise.reject(new Error("ran a pilot for nothing"));
  await expect(planMixture({ ...sizes, modelSize: 30e6 }, never, new Map())).rejects.toThrow(/goal\.baseGeneralLoss/);
  await expect(planMixture(sizes, never, new Map())).rejects.toThrow(/^modelSize: expected the parameters/);
});

test("a fixed amount of domain text: how much general text beside it, within the budget; verified at each share's own tokens", async () => {
  const { run } = laboratory();
  const store = new Map<string, PilotResult>();
  const goal = { goal: "split-domain" as const, domainTokens: 8e6 };
  const plan = await planMixture({ ...spec, goal }, run, store);
  const truth = (ratio: number) => dcptLoss(domainLaw, { modelSize: 1, tokens: 8 / ratio, share: ratio });
  const { ratio, tokens, epochs } = plan.recommendation;
  let best = 1;
  for (let r = 0.2; r < 1; r += 1e-3) if (truth(r) < truth(best)) best = r;
  expect(truth(ratio!)).toBeLessThan(truth(best) + 1e-3);
  expect(ratio! * tokens).toBeCloseTo(8e6, 3);
  expect(epochs!.domain).toBeCloseTo(8e6 / 20e6, 9);
  const { ratios } = await verifyPlan(plan, run, store);
  for (const one of ratios) expect(one.ratio * one.tokens).toBeCloseTo(8e6, -1);
  expect(Math.min(...ratios.map((one) => one.ratio))).toBeGreaterThanOrEqual(0.2);

  const never: RunPilot = () => Promise.reject(new Error("ran a pilot for nothing"));
  await expect(planMixture({ ...spec, goal: { goal: "split-domain", domainTokens: 41e6 } }, never, new Map())).rejects.toThrow(
    /goal\.domainTokens: expected at most the 40000000 tokens/,
  );
});

test("losses that fall faster than any law further on: the plan says that its bands are not to be believed", async () => {
  const { run } = laboratory();
  const breaking: RunPilot = async (pilot) => {
    const result = await run(pilot);
    const late = (tokens: number) => 1 - 0.2 * (tokens / pilot.tokens) ** 2;
    return { ...result, checkpoints: result.checkpoints.map((at) => ({ ...at, domainLoss: at.domainLoss * late(at.tokens) })) };
  };
  const { recommendation } = await planMixture(spec, breaking, new Map());
  expect(recommendation.warnings.join(" ")).toMatch(
    /the domain law misses those by [\d.]+ %; the plan goes 4\.0 times further than the pilots\. Do not believe its bands/,
  );
});

test("a diverged or mismatched pilot is refused and not stored", async () => {
  const { run } = laboratory();
  const [pilot] = proposePilots({ tokens: 1e6 }) as [PilotSpec];
  const store = new Map<string, PilotResult>();
  const with_ = (change: (result: PilotResult) => PilotResult) => runPilots([pilot], async (p) => change(await run(p)), store);
  await expect(with_((r) => ({ ...r, base: { ...r.base, domainLoss: Number.NaN } }))).rejects.toThrow(
    /domain losses, base first\[0\]\.loss/,
  );
  await expect(with_((r) => ({ ...r, id: "another" }))).rejects.toThrow(/a result with this id/);
  await expect(with_((r) => ({ ...r, checkpoints: r.checkpoints.slice(1) }))).rejects.toThrow(/evaluated at/);
  expect(store.size).toBe(0);
});

test("no share is recommended where no pilot came near: at 0 the law's share term vanishes, whatever was measured", async () => {
  const { run } = laboratory();
  // A weak exponent of the share makes the corner tempting: 0^η is 0, 0.1^η nearly 1.
  const weak: RunPilot = async (pilot) => {
    const result = await run(pilot);
    const loss = (tokens: number) =>
      dcptLoss({ ...domainLaw, eta: 0.02, C: 1e-6 }, { modelSize: 1, tokens: tokens / 1e6, share: pilot.ratio });
    return { ...result, checkpoints: result.checkpoints.map((at) => ({ ...at, domainLoss: loss(at.tokens) })) };
  };
  const { recommendation } = await planMixture({ ...spec, goal: { goal: "weighted", weight: 1 } }, weak, new Map());
  expect(recommendation.ratio!).toBeGreaterThanOrEqual(1 / 16 - 1e-9);
  expect(recommendation.low!).toBeGreaterThanOrEqual(1 / 16 - 1e-9);
  expect(recommendation.high!).toBeLessThanOrEqual(0.875 + 1e-9);
});
