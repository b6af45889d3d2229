/**
 * The objective of a D-CPT fit and its gradient in the logarithms of the free parameters.
 *    f = mean H_δ(q),  q = ln L_pred − ln L_obs,  w = clip(q, ±δ)/L_pred
 *    t₁ = A N^−α, t₂ = B r^η D^−β, t₃ = C (r+ε)^−γ, t₄ = F K^−μ
 *    ∂/∂ln: E: E · A: t₁ · α: −α ln N t₁ · B: t₂ · β: −β ln D t₂ · η: η ln r t₂ · C: t₃ · γ: −γ ln(r+ε) t₃ · ε: −γ ε t₃/(r+ε)
 *           F: t₄ · μ: −μ ln K t₄ · w₁: −μ (w₁/k₁)/K t₄ · w₂: −μ (w₂ k₂)/K t₄            each times w, averaged
 *  Every factor depends on one input alone and pilot runs lie on a grid, so powers are taken once per distinct value and
 *  the weights are gathered per distinct value: a point costs one logarithm, a few multiplications and no power.
 */
import { type DcptInputs, type DcptParameters, learnability, type ParameterName, parameterNames } from "./d-cpt.ts";
import type { Objective } from "./lbfgs.ts";

/** Measured rows in the fit's units. */
export interface DcptRow extends DcptInputs {
  readonly loss: number;
}

/** One input of all rows: its distinct values and, per row, which of them. */
interface Column<T> {
  readonly values: readonly T[];
  readonly index: Uint32Array;
}

export interface DcptData {
  readonly rows: number;
  readonly size: Column<number>;
  readonly tokens: Column<number>;
  readonly share: Column<number>;
  readonly probe: Column<{ readonly firstLoss: number; readonly fall: number }>;
  readonly logLoss: Float64Array;
}

const NO_PROBE = { firstLoss: 1, fall: 0 };

export function dcptData(rows: readonly DcptRow[]): DcptData {
  return {
    rows: rows.length,
    size: column(rows, (row) => row.modelSize),
    tokens: column(rows, (row) => row.tokens),
    share: column(rows, (row) => row.share),
    probe: column(
      rows,
      (row) => row.probe ?? NO_PROBE,
      ({ firstLoss, fall }) => `${firstLoss} ${fall}`,
    ),
    logLoss: Float64Array.from(rows, (row) => Math.log(row.loss)),
  };
}

function column<T>(rows: readonly DcptRow[], read: (row: DcptRow) => T, keyOf: (value: T) => unknown = (value) => value): Column<T> {
  const values: T[] = [];
  const positions = new Map<unknown, number>();
  const index = Uint32Array.from(rows, (row) => {
    const value = read(row);
    const key = keyOf(value);
    let position = positions.get(key);
    if (position === undefined) {
      position = values.push(value) - 1;
      positions.set(key, position);
    }
    return position;
  });
  return { values, index };
}

export type Fixed = Partial<Record<ParameterName, number>>;

export const freeNames = (fixed: Fixed): ParameterName[] => parameterNames.filter((name) => fixed[name] === undefined);

/** Parameters from the logarithms of the free ones. */
export function parametersAt(logs: ArrayLike<number>, fixed: Fixed): DcptParameters {
  const values: Record<string, number> = {};
  let i = 0;
  for (const name of parameterNames) values[name] = fixed[name] ?? Math.exp(logs[i++]!);
  return values as unknown as DcptParameters;
}

export const logsOf = (parameters: DcptParameters, fixed: Fixed): Float64Array =>
  Float64Array.from(freeNames(fixed), (name) => Math.log(parameters[name]));

/** `x`: logarithms of the free parameters, in the order of `freeNames(fixed)`. */
export function dcptObjective(data: DcptData, fixed: Fixed, delta: number): Objective {
  const { rows, logLoss } = data;
  const { index: ofSize } = data.size;
  const { index: ofTokens } = data.tokens;
  const { index: ofShare } = data.share;
  const { index: ofProbe } = data.probe;
  const logSize = Float64Array.from(data.size.values, Math.log);
  const logTokens = Float64Array.from(data.tokens.values, Math.log);
  const logShare = Float64Array.from(data.share.values, Math.log);
  const [sizeTerm, sizeWeight] = pair(logSize.length);
  const [tokensFactor, tokensWeight] = pair(logTokens.length);
  const [shareFactor, shareWeight] = pair(logShare.length);
  const [mixtureTerm, mixtureWeight] = pair(logShare.length);
  const [probeTerm, probeWeight] = pair(data.probe.values.length);
  const slots = parameterNames.map((name) => freeNames(fixed).indexOf(name));

  return (x, gradient) => {
    const p = parametersAt(x, fixed);
    for (let i = 0; i < sizeTerm.length; i++) sizeTerm[i] = p.A === 0 ? 0 : p.A * Math.exp(-p.alpha * logSize[i]!);
    for (let i = 0; i < tokensFactor.length; i++) tokensFactor[i] = p.B * Math.exp(-p.beta * logTokens[i]!);
    for (let i = 0; i < shareFactor.length; i++) {
      const share = data.share.values[i]!;
      // 0^η = 0 for η > 0, and 0^0 = 1: the additive form has no share in this term.
      shareFactor[i] = p.eta === 0 ? 1 : Math.exp(p.eta * logShare[i]!);
      mixtureTerm[i] = p.C * (share + p.epsilon) ** -p.gamma;
    }
    for (let i = 0; i < probeTerm.length; i++) probeTerm[i] = p.F === 0 ? 0 : p.F * learnability(p, data.probe.values[i]!) ** -p.mu;
    for (const weights of [sizeWeight, tokensWeight, shareWeight, mixtureWeight, probeWeight]) weights.fill(0);

    let sum = 0;
    let totalWeight = 0;
    for (let row = 0; row < rows; row++) {
      const s = ofSize[row]!;
      const d = ofTokens[row]!;
      const r = ofShare[row]!;
      const k = ofProbe[row]!;
      const dataTerm = tokensFactor[d]! * shareFactor[r]!;
      const predicted = p.E + sizeTerm[s]! + dataTerm + mixtureTerm[r]! + probeTerm[k]!;
      const residual = Math.log(predicted) - logLoss[row]!;
      const size = Math.abs(residual);
      const clipped = size <= delta ? residual : residual > 0 ? delta : -delta;
      sum += size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
      const weight = clipped / predicted;
      totalWeight += weight;
      sizeWeight[s]! += weight;
      mixtureWeight[r]! += weight;
      probeWeight[k]! += weight;
      tokensWeight[d]! += weight * dataTerm;
      shareWeight[r]! += weight * dataTerm;
    }

    const g = new Float64Array(parameterNames.length);
    g[0] = p.E * totalWeight;
    for (let i = 0; i < sizeTerm.length; i++) {
      const w = sizeWeight[i]! * sizeTerm[i]!;
      g[1]! += w;
      g[2]! -= p.alpha * logSize[i]! * w;
    }
    for (let i = 0; i < tokensFactor.length; i++) {
      g[3]! += tokensWeight[i]!;
      g[4]! -= p.beta * logTokens[i]! * tokensWeight[i]!;
    }
    for (let i = 0; i < shareFactor.length; i++) {
      const share = data.share.values[i]!;
      if (share > 0) g[5]! += p.eta * logShare[i]! * shareWeight[i]!;
      const w = mixtureWeight[i]! * mixtureTerm[i]!;
      g[6]! += w;
      g[7]! -= p.gamma * Math.log(share + p.epsilon) * w;
      g[8]! -= (p.gamma * p.epsilon * w) / (share + p.epsilon);
    }
    if (p.F !== 0) {
      for (let i = 0; i < probeTerm.length; i++) {
        const probe = data.probe.values[i]!;
        const K = learnability(p, probe);
        const w = probeWeight[i]! * probeTerm[i]!;
        g[9]! += w;
        g[10]! -= p.mu * Math.log(K) * w;
        g[11]! -= (p.mu * w * (p.w1 / probe.firstLoss)) / K;
        g[12]! -= (p.mu * w * p.w2 * probe.fall) / K;
      }
    }
    for (let i = 0; i < slots.length; i++) if (slots[i]! >= 0) gradient[slots[i]!] = g[i]! / rows;
    return sum / rows;
  };
}

const pair = (length: number) => [new Float64Array(length), new Float64Array(length)] as const;
