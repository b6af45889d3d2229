/**
 * Perplexities of a model trained through a sequence of N domains (arXiv 2402.17400). `perplexities` [N+1, N]: P(i,j) = perplexity on domain
 * j after domain i, row 0 the untouched model; rows count 1 … N, columns 0 … N − 1 here. Lower is better.
 *   zeroShot_j = P(0,j)    continual_j = P(j,j)    last_j = P(N,j)    forgotten_j = P(N,j) − P(j,j)
 *   Δ_{i,j} = P(0,j) − P(i,j)         > 0: training up to domain i helped domain j
 * Backward transfer of stage i averages domains before i, forward transfer those after it. Raw perplexities are dominated by hard domains,
 * so each mean also comes as nats: ln P(0,j) − ln P(i,j).
 */
import { FieldError } from "../../errors.ts";

export interface Transfer {
  /** Mean P(i,j) over the domains concerned. */
  readonly perplexity: number;
  /** Mean P(0,j) over the same domains. */
  readonly zeroShot: number;
  /** Mean Δ_{i,j}. */
  readonly gain: number;
  /** Mean ln P(0,j) − ln P(i,j), nats per token. */
  readonly gainNats: number;
}

export interface DomainSequenceReport {
  readonly zeroShot: readonly number[];
  readonly continual: readonly number[];
  readonly last: readonly number[];
  readonly forgotten: readonly number[];
  /** [N] by stage; null for the first stage, which has no domain before it. */
  readonly backward: readonly (Transfer | null)[];
  /** [N] by stage; null for the last. */
  readonly forward: readonly (Transfer | null)[];
}

export function domainSequence(perplexities: readonly (readonly number[])[]): DomainSequenceReport {
  const numDomains = perplexities.length - 1;
  const ragged = perplexities.findIndex((row) => row.length !== numDomains);
  if (numDomains < 1 || ragged >= 0)
    throw new FieldError("SCORE_MATRIX", {
      at: `perplexities[${Math.max(0, ragged)}]`,
      expected: `${numDomains} domains: one row for the untouched model and one per domain`,
      received: perplexities[Math.max(0, ragged)],
    });
  const at = (i: number, j: number) => perplexities[i]![j]!;
  const domains = Array.from({ length: numDomains }, (_, j) => j);
  const transfer = (stage: number, concerned: readonly number[]): Transfer | null => {
    if (concerned.length === 0) return null;
    const mean = (value: (j: number) => number) => concerned.reduce((sum, j) => sum + value(j), 0) / concerned.length;
    return {
      perplexity: mean((j) => at(stage + 1, j)),
      zeroShot: mean((j) => at(0, j)),
      gain: mean((j) => at(0, j) - at(stage + 1, j)),
      gainNats: mean((j) => Math.log(at(0, j) / at(stage + 1, j))),
    };
  };
  return {
    zeroShot: [...perplexities[0]!],
    continual: domains.map((j) => at(j + 1, j)),
    last: [...perplexities[numDomains]!],
    forgotten: domains.map((j) => at(numDomains, j) - at(j + 1, j)),
    backward: domains.map((stage) => transfer(stage, domains.slice(0, stage))),
    forward: domains.map((stage) => transfer(stage, domains.slice(stage + 1))),
  };
}

/** Mean Δ over all pairs of stage and earlier domain that lie `lag` stages apart: transfer into the recent (lag 1) or distant past. */
export function transferByLag(perplexities: readonly (readonly number[])[]): { lag: number; gain: number; pairs: number }[] {
  const numDomains = perplexities.length - 1;
  return Array.from({ length: numDomains - 1 }, (_, k) => {
    const lag = k + 1;
    const pairs = numDomains - lag;
    let sum = 0;
    for (let j = 0; j < pairs; j++) sum += perplexities[0]![j]! - perplexities[j + lag + 1]![j]!;
    return { lag, gain: sum / pairs, pairs };
  });
}
