/** What every sampler starts from and gives back: sizes of sources in, tokens, shares and epochs of sources out. */
import { z } from "zod";
import { FieldError } from "../../errors.ts";

export interface SizedSource {
  readonly name: string;
  /** Tokens that exist, as the model's tokenizer counts them. */
  readonly tokens: number;
}

export interface SourceShare {
  readonly name: string;
  /** Tokens to be trained on. */
  readonly tokens: number;
  /** Of all tokens trained on, 0–1; the shares of an allocation sum to 1. */
  readonly share: number;
  /** How often the source is gone through: above 1 its text repeats. */
  readonly epochs: number;
}

export interface Allocation {
  readonly sources: readonly SourceShare[];
  /** Budget that no source could take without passing its epoch cap. */
  readonly unspentTokens: number;
}

export const budgetTokens = z.number().positive().describe("tokens to be trained on, over all sources");
export const maxEpochs = z.number().positive().describe("repeats of one source that are allowed");

/** Throws a `FieldError` for an empty list, a repeated name or a size that is no size. */
export function checkSources(sources: readonly SizedSource[]): void {
  if (sources.length === 0) throw new FieldError("MIXTURE_SOURCES", { at: "sources", expected: "at least one source", received: sources });
  const seen = new Set<string>();
  sources.forEach(({ name, tokens }, i) => {
    if (!(Number.isFinite(tokens) && tokens > 0))
      throw new FieldError("MIXTURE_SOURCES", {
        at: `sources[${i}].tokens`,
        expected: `a number of tokens above 0 for ${name}`,
        received: String(tokens),
        todo: "count the source's tokens first, or leave an empty source out",
      });
    if (seen.has(name))
      throw new FieldError("MIXTURE_SOURCES", { at: `sources[${i}].name`, expected: "a name that no other source has", received: name });
    seen.add(name);
  });
}

/** An allocation from tokens per source, in the order of the sources. */
export function allocation(sources: readonly SizedSource[], tokens: readonly number[], budget: number): Allocation {
  const spent = tokens.reduce((sum, value) => sum + value, 0);
  return {
    sources: sources.map(({ name, tokens: size }, i) => ({
      name,
      tokens: tokens[i]!,
      share: tokens[i]! / spent,
      epochs: tokens[i]! / size,
    })),
    // A cap is met exactly or not at all: what is left by rounding is not a remainder.
    unspentTokens: budget - spent > budget * 1e-12 ? budget - spent : 0,
  };
}
