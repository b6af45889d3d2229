/**
 * Token F1 (SQuAD): with c = Σ min counts of tokens common to prediction and reference, P = c/|prediction|, R = c/|reference|,
 *   F1 = 2PR/(P + R),   0 if c = 0 (also when both are empty: the official script's choice); the best over the references.
 * Tokens are words; for scripts without spaces `characters` counts code points instead.
 */
import { words } from "../text/whitespace.ts";
import { type AnswerNormalization, normalizeAnswer } from "./normalize-answer.ts";

export interface TokenF1Options {
  readonly normalization?: AnswerNormalization;
  readonly tokens?: "words" | "characters";
}

export function tokenF1(
  prediction: string,
  references: readonly string[],
  { normalization = "squad", tokens = "words" }: TokenF1Options = {},
): number {
  const split = (text: string) => {
    const normalized = words(normalizeAnswer[normalization](text));
    return tokens === "words" ? normalized : [...normalized.join("")];
  };
  const predicted = split(prediction);
  return Math.max(...references.map((reference) => f1(predicted, split(reference))));
}

function f1(predicted: readonly string[], expected: readonly string[]): number {
  const left = new Map<string, number>();
  for (const token of expected) left.set(token, (left.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of predicted) {
    const count = left.get(token) ?? 0;
    if (count === 0) continue;
    left.set(token, count - 1);
    common++;
  }
  if (common === 0) return 0;
  const [precision, recall] = [common / predicted.length, common / expected.length];
  return (2 * precision * recall) / (precision + recall);
}
