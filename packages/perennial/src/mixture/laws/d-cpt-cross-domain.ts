/**
 * Cross-domain D-CPT law: from full pilots on some domains and one short probe on a new one, predicts the new domain's loss.
 *    L(N, D, r, K) = E + A/N^α + B·r^η/D^β + C/(r+ε)^γ + F/K^μ        K = w₁/k₁ + w₂·k₂
 *  k₁ first domain loss of a probe (nats per token) · k₂ its fall per unit of D, at least 1e-6. Probe, our choice: the
 *  smallest model, domain text only, the first 1 % of the tokens. K's scale, F, w₁ and w₂ cannot be told apart, so F = 1;
 *  with few domains E and F/K^μ trade off too: report predictions, not parameters. Larger K means an easier domain.
 *  Source: Que et al., NeurIPS 2024, arXiv 2406.01375.
 */
import { FieldError } from "../../errors.ts";
import { type DcptParameters, dcptLoss, type Probe } from "./d-cpt.ts";
import { type DcptQuery, type DcptUnits, fitRows, inputsOf, startGrid } from "./d-cpt-fit.ts";
import { dcptData, type Fixed } from "./d-cpt-objective.ts";
import { type Goodness, goodnessOf, HUBER_DELTA } from "./goodness.ts";
import { checkPoints, distinct, type LossPoint, powerOfThousandUpTo, requireEnough } from "./points.ts";

/** One evaluated probe, tokens as counted by the points. */
export interface ProbeRun {
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly tokens: number;
}

export interface SourceDomain {
  readonly name: string;
  readonly points: readonly LossPoint[];
  readonly probe: ProbeRun;
}

/** Plain JSON. */
export interface CrossDomainFit {
  readonly law: "d-cpt-cross-domain";
  readonly domains: readonly string[];
  readonly units: DcptUnits;
  readonly parameters: DcptParameters;
  readonly objective: number;
  readonly goodness: Goodness;
}

const MIN_FALL = 1e-6;

/** E, w₁, w₂ and μ need one domain each. */
const MIN_DOMAINS = 4;

export function fitCrossDomain(domains: readonly SourceDomain[], delta = HUBER_DELTA): CrossDomainFit {
  requireEnough(
    "domains",
    "domains with full pilots",
    domains.length,
    MIN_DOMAINS,
    "fit the single-domain law instead, or run pilots on more domains",
  );
  for (const { name, points, probe } of domains) {
    checkPoints(points, { at: `${name} points`, ratios: "closed" });
    checkProbe(name, probe);
  }
  const points = domains.flatMap((domain) => domain.points);
  const sizes = distinct(points.flatMap((point) => point.modelSize ?? []));
  requireEnough("points", "different ratios", distinct(points.map((point) => point.ratio)).length, 4, "run pilots at more domain shares");
  const units: DcptUnits = {
    tokens: powerOfThousandUpTo(Math.max(...points.map((point) => point.tokens))),
    modelSize: sizes.length > 0 ? powerOfThousandUpTo(Math.max(...sizes)) : 1,
  };
  const rows = domains.flatMap(({ points, probe }) =>
    points.map((point) => ({ ...inputsOf(point, "domain", units), probe: inUnits(probe, units), loss: point.loss })),
  );
  const fixed: Fixed = { F: 1, ...(sizes.length < 2 ? { A: 0, alpha: 1 } : {}) };
  const { best } = fitRows(dcptData(rows), fixed, delta, starts(rows));
  return {
    law: "d-cpt-cross-domain",
    domains: domains.map((domain) => domain.name),
    units,
    parameters: best.parameters,
    objective: best.objective,
    goodness: goodnessOf(
      rows.map((row) => row.loss),
      rows.map((row) => dcptLoss(best.parameters, row)),
      delta,
    ),
  };
}

/** Domain loss on a domain of which only a probe is known. */
export function predictCrossDomain({ parameters, units }: CrossDomainFit, query: DcptQuery, probe: ProbeRun): number {
  checkPoints([{ ...query, loss: 1 }], { at: "query", ratios: "closed" });
  checkProbe("query", probe);
  return dcptLoss(parameters, { ...inputsOf(query, "domain", units), probe: inUnits(probe, units) });
}

const inUnits = ({ firstLoss, lastLoss, tokens }: ProbeRun, units: DcptUnits): Probe => ({
  firstLoss,
  fall: Math.max(MIN_FALL, (firstLoss - lastLoss) / (tokens / units.tokens)),
});

function checkProbe(name: string, probe: ProbeRun): void {
  for (const [field, value] of Object.entries(probe))
    if (!(Number.isFinite(value) && value > 0))
      throw new FieldError("LAW_PROBE", { at: `${name} probe.${field}`, expected: "a finite number above 0", received: String(value) });
}

/** The grid of the single-domain law, with K near 1 on average from either probe statistic. */
function starts(rows: readonly { readonly probe: Probe; readonly loss: number }[]): DcptParameters[] {
  const meanOf = (read: (probe: Probe) => number) => rows.reduce((sum, row) => sum + read(row.probe), 0) / rows.length;
  const [w1, w2] = [meanOf((probe) => probe.firstLoss), 1 / meanOf((probe) => probe.fall)];
  return startGrid(Math.min(...rows.map((row) => row.loss))).flatMap((start) => [
    { ...start, w1: 0.8 * w1, w2: 0.2 * w2 },
    { ...start, w1: 0.2 * w1, w2: 0.8 * w2 },
  ]);
}
