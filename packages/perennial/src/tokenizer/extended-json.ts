/** tokenizer.json with entries behind the last id; every old id keeps its token. */
import type { JsonTokenizer } from "./json-tokenizer.ts";

export interface Entry {
  readonly token: string;
  /** Of a Unigram vocabulary; BPE has none. */
  readonly score?: number;
}

/**
 * Added tokens that stood behind the model's own vocabulary move into it, since it must be without gaps for them to keep
 * their ids. In a Unigram vocabulary plain text must not be cut into one of them, so that it gets a score that loses always.
 */
const NEVER_CHOSEN = -1e4;

/**
 * A score that every reader of JSON takes for the same number: with 17 digits Hugging Face's is off by a last bit at times, and
 * that decides between equally good cuts (`00|0`, `0|00`). Up to 15 digits all parsers are exact.
 */
export const writtenScore = (score: number): number => Math.round(score * 1e9) / 1e9;

export function extendedJson(old: JsonTokenizer, entries: readonly Entry[], merges: readonly (readonly [string, string])[] = []): object {
  const model = old.json.model as { vocab: Record<string, number> | [string, number][]; merges?: unknown[] };
  const moved = old.description.added.filter(({ id }) => id >= old.modelSize).sort((a, b) => a.id - b.id);
  if (Array.isArray(model.vocab)) {
    const rows = [
      ...model.vocab,
      ...moved.map(({ content }) => [content, NEVER_CHOSEN]),
      ...entries.map(({ token, score }) => [token, score]),
    ];
    return { ...old.json, model: { ...model, vocab: rows } };
  }
  const vocab = { ...model.vocab };
  for (const { content, id } of moved) vocab[content] = id;
  for (const [i, { token }] of entries.entries()) vocab[token] = old.vocabSize + i;
  const before = model.merges ?? [];
  // Older files write a merge as one line.
  const asText = before.length > 0 && before.every((merge) => typeof merge === "string");
  return { ...old.json, model: { ...model, vocab, merges: [...before, ...merges.map((pair) => (asText ? pair.join(" ") : pair))] } };
}
