/** Which languages go on, and above which score: decided once the scores of all shards are known. */
import { type Document, type Json, languageLabel } from "../document.ts";
import { writeJson } from "../durable.ts";
import { ScoreHistogram } from "../language/index.ts";
import { type CorpusPlan, type CorpusTask, markOf, places } from "./plan.ts";
import type { ReadMark } from "./read-phase.ts";
import type { CorpusRecipe } from "./recipe.ts";

export interface LanguageChoice {
  /** Least score by label. */
  readonly minScore: Readonly<Record<string, number>>;
}

/** The least score of each language, from the scores of all shards. */
export function chooseLanguages(folder: string, { recipe, shards }: CorpusPlan, task: CorpusTask): void {
  const scores = new Map<string, ScoreHistogram>();
  for (let index = 0; index < shards.length; index++) {
    const mark = markOf<ReadMark>(folder, { phase: "read", index });
    for (const [label, counts] of Object.entries(mark.scores)) {
      if (!scores.has(label)) scores.set(label, new ScoreHistogram());
      scores.get(label)!.merge(counts);
    }
  }
  const { minScore } = recipe.languages;
  const chosen = [...scores]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, histogram]) => [label, minScore === "fitted" ? histogram.threshold() : minScore] as const);
  writeJson(places.mark(folder, task), { minScore: Object.fromEntries(chosen) } satisfies LanguageChoice);
}

export const readLanguageChoice = (folder: string): LanguageChoice => markOf<LanguageChoice>(folder, { phase: "languages", index: 0 });

/** Why the language of a document keeps it out, if it does. */
export function languageDrop(
  document: Document,
  recipe: CorpusRecipe,
  { minScore }: LanguageChoice,
): { readonly [field: string]: Json; readonly reason: string } | undefined {
  const label = languageLabel(document);
  if (recipe.languages.keep && !recipe.languages.keep.includes(label)) return { reason: "language-not-wanted", value: label };
  const value = document.languageScore ?? 1;
  const threshold = minScore[label] ?? 0;
  return value < threshold ? { reason: "language-score-below-min", value, threshold } : undefined;
}
