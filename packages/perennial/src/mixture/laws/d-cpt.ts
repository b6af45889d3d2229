/**
 * D-CPT law: validation loss after continued pre-training, as a function of model size, tokens and mixture.
 *    L(N, D, r)    = E + A/N^α + B·r^η/D^β + C/(r+ε)^γ                         form "l3"
 *    L(N, D, r)    = E + A/N^α + B/D^β     + C/(r+ε)^γ                         form "additive": our baseline, η = 0
 *    L(N, D, r, K) = E + A/N^α + B·r^η/D^β + C/(r+ε)^γ + F/K^μ,  K = w₁/k₁ + w₂·k₂      cross-domain
 *  L nats per token · N parameters and D continued pre-training tokens, in the units that the fit names · k₁ first probe
 *  loss (nats per token), k₂ its fall per unit of D. All parameters > 0.
 *  r is the share of the corpus whose loss is predicted: the domain share in the domain law, 1 − domain share in the
 *  general law. Callers always give the domain share; `shareOf` is the only place that turns it round.
 *  At r = 0, r^η is 0. dL/dN, dL/dD < 0 and d²L/dDdr < 0 always hold; dL/dr < 0 does not and is checked after a fit.
 *  Source: Que et al., NeurIPS 2024, arXiv 2406.01375.
 */

export interface DcptParameters {
  readonly E: number;
  readonly A: number;
  readonly alpha: number;
  readonly B: number;
  readonly beta: number;
  readonly eta: number;
  readonly C: number;
  readonly gamma: number;
  readonly epsilon: number;
  /** The cross-domain term; F = 0 in the law of a single domain. */
  readonly F: number;
  readonly mu: number;
  readonly w1: number;
  readonly w2: number;
}

export const parameterNames = ["E", "A", "alpha", "B", "beta", "eta", "C", "gamma", "epsilon", "F", "mu", "w1", "w2"] as const;
export type ParameterName = (typeof parameterNames)[number];

/** What a short run on the domain alone tells about how easily the domain is learned. */
export interface Probe {
  /** k₁: domain loss before the first step, nats per token. */
  readonly firstLoss: number;
  /** k₂: fall of that loss per unit of tokens over the probe. */
  readonly fall: number;
}

/** In the units of the parameters. `modelSize` is not read when A is 0, `probe` not when F is 0. */
export interface DcptInputs {
  readonly modelSize: number;
  readonly tokens: number;
  /** r, the share of the corpus whose loss is predicted. */
  readonly share: number;
  readonly probe?: Probe;
}

/** Which corpus a law's losses were measured on. */
export type Corpus = "domain" | "general";

export const shareOf = (corpus: Corpus, domainRatio: number): number => (corpus === "domain" ? domainRatio : 1 - domainRatio);

export function dcptLoss(p: DcptParameters, { modelSize, tokens, share, probe }: DcptInputs): number {
  const size = p.A === 0 ? 0 : p.A * modelSize ** -p.alpha;
  const data = p.B * share ** p.eta * tokens ** -p.beta;
  const mixture = p.C * (share + p.epsilon) ** -p.gamma;
  const domain = p.F === 0 || probe === undefined ? 0 : p.F * learnability(p, probe) ** -p.mu;
  return p.E + size + data + mixture + domain;
}

/** K, the domain-specific learnable coefficient: larger is easier. */
export const learnability = ({ w1, w2 }: DcptParameters, { firstLoss, fall }: Probe): number => w1 / firstLoss + w2 * fall;

/** dL/dr. Positive somewhere on (0, 1] means that the law claims more data of a corpus would raise its own loss. */
export function dcptSlopeInShare(p: DcptParameters, { tokens, share }: Pick<DcptInputs, "tokens" | "share">): number {
  return p.eta * p.B * share ** (p.eta - 1) * tokens ** -p.beta - p.gamma * p.C * (share + p.epsilon) ** (-p.gamma - 1);
}
