/**
 * Llama-3-SynE's budget: two stages, a language ratio in each, and source shares inside each language.
 *    tokens(stage, language, source) = stageTokens · languageShare · sourceShare
 *  Stage 1: 92.5 B, zh : en = 2 : 8 · stage 2: 7.5 B, zh : en : synthetic = 1 : 7 : 2. Totals are by the model's tokenizer.
 *  Source: Chen et al., arXiv 2407.18743.
 */
export const syneStages = [
  { tokens: 92.5e9, ratio: { zh: 2, en: 8, synthetic: 0 } },
  { tokens: 7.5e9, ratio: { zh: 1, en: 7, synthetic: 2 } },
] as const;

export const syneSources = {
  zh: { web: 0.7, encyclopedia: 0.05, book: 0.2, qaForum: 0.05 },
  en: { web: 0.4, encyclopedia: 0.05, book: 0.15, qaForum: 0.05, paper: 0.1, math: 0.1, code: 0.15 },
  synthetic: { synthetic: 1 },
} as const;

export interface SyneBudgetLine {
  readonly stage: number;
  readonly language: keyof typeof syneSources;
  readonly source: string;
  readonly tokens: number;
}

/** Every non-empty cell of the table; `scale` shrinks it to a laptop. */
export function syneBudget(scale = 1): SyneBudgetLine[] {
  return syneStages.flatMap(({ tokens, ratio }, stage) => {
    const parts = ratio.zh + ratio.en + ratio.synthetic;
    return (["zh", "en", "synthetic"] as const).flatMap((language) =>
      Object.entries(syneSources[language])
        .map(([source, share]) => ({ stage: stage + 1, language, source, tokens: (scale * tokens * ratio[language] * share) / parts }))
        .filter((line) => line.tokens > 0),
    );
  });
}
