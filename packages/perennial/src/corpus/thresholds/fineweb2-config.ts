/**
 * Reads the released per-language configurations of FineWeb2 (`configs/fra_Latn.yml`, parsed) as our thresholds.
 * There a 0 in a Gopher scalar, −1 or 0 in line_punct_thr and 999 mean "off"; here that is `null`.
 * Their `max_non_alpha_words_ratio` is the least share of words that contain a letter.
 */
import { z } from "zod";
import { finewebQuality } from "../filter/fineweb-quality.ts";
import { gopherQuality } from "../filter/gopher-quality.ts";
import { gopherRepetition } from "../filter/gopher-repetition.ts";
import { FINEWEB2_QUALITY, FINEWEB2_REPETITION, type LanguageThresholds } from "./language-thresholds.ts";

const ngrams = z.array(z.tuple([z.int(), z.number()]));

export const fineweb2ConfigSchema = z.object({
  dup_line_frac: z.number(),
  top_n_grams: ngrams,
  dup_n_grams: ngrams,
  language_score: z.number(),
  line_punct_thr: z.number(),
  new_line_ratio: z.number(),
  min_avg_word_length: z.number(),
  max_avg_word_length: z.number(),
  max_non_alpha_words_ratio: z.number(),
  stopwords: z.array(z.string()),
});

export function fromFineweb2Config(language: string, config: z.input<typeof fineweb2ConfigSchema>): LanguageThresholds {
  const given = fineweb2ConfigSchema.parse(config);
  const unlessZero = (value: number) => (value === 0 ? null : value);
  const top = new Map(given.top_n_grams);
  const duplicate = new Map(given.dup_n_grams);
  return {
    language,
    languageScore: given.language_score,
    stopWords: given.stopwords,
    gopherRepetition: gopherRepetition.schema.parse({
      ...FINEWEB2_REPETITION,
      maxDuplicateLines: unlessZero(given.dup_line_frac),
      ...Object.fromEntries([2, 3, 4].map((n) => [`maxTop${n}Gram`, top.get(n) ?? null])),
      ...Object.fromEntries([5, 6, 7, 8, 9, 10].map((n) => [`maxDuplicate${n}Grams`, duplicate.get(n) ?? null])),
    }),
    finewebQuality: finewebQuality.schema.parse({
      ...FINEWEB2_QUALITY,
      minTerminalLines: given.line_punct_thr <= 0 ? null : given.line_punct_thr,
      maxNewlinesPerWord: given.new_line_ratio >= 999 ? null : given.new_line_ratio,
    }),
    gopherQuality: gopherQuality.schema.parse({
      minMeanWordLength: unlessZero(given.min_avg_word_length),
      maxMeanWordLength: unlessZero(given.max_avg_word_length),
      minAlphabeticWords: unlessZero(given.max_non_alpha_words_ratio),
    }),
    because: {},
  };
}
