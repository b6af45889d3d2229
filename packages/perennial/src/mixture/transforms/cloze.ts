/**
 * A generator of questions without a model: a sentence of the snippet with a gap, and the word that stood there.
 *    `Which word is missing? … ____ …` → the word
 *  For measuring what synthetic data does (shares, errors) where no strong generator is at hand. Source of the idea of a gold answer that can
 *  be corrupted: Llama-3-SynE, arXiv 2407.18743; the form is our choice.
 */
import type { Stream } from "../../stream.ts";

const MIN_WORD = 4;
const MIN_SENTENCE_WORDS = 5;
const MAX_SENTENCE_CHARACTERS = 200;

/** In the fields that `parseQuestion` reads; empty where no sentence will do, which is then counted as a missing field. */
export function clozeQuestion(snippet: string, random: Stream): string {
  const sentences = snippet
    .split(/(?<=[.!?。])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter(
      (sentence) => sentence.length <= MAX_SENTENCE_CHARACTERS && (sentence.match(/[\p{L}\p{M}]+/gu)?.length ?? 0) >= MIN_SENTENCE_WORDS,
    );
  if (sentences.length === 0) return "";
  const sentence = sentences[random.integer(sentences.length)]!;
  const words = [...sentence.matchAll(/[\p{L}\p{M}]+/gu)].filter(([word]) => word.length >= MIN_WORD);
  if (words.length === 0) return "";
  const word = words[random.integer(words.length)]!;
  const gap = `${sentence.slice(0, word.index)}____${sentence.slice(word.index + word[0].length)}`;
  return `Question: Which word is missing? ${gap}\nAnswer: ${word[0]}`;
}
