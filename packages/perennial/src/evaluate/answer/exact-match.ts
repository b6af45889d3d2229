/** Exact match: 1 if the prediction equals any of the references after normalization, else 0. The score of a task is the mean over items. */
import { type AnswerNormalization, normalizeAnswer } from "./normalize-answer.ts";

export function exactMatch(prediction: string, references: readonly string[], normalization: AnswerNormalization = "squad"): number {
  const normalize = normalizeAnswer[normalization];
  return Number(references.some((reference) => normalize(reference) === normalize(prediction)));
}
