/**
 * How well a vocabulary fits a language, before any training is paid for.
 *    fertility       F = tokens / words                        (words: Intl.Segmenter's word-like segments)
 *    bytesPerToken   UTF-8 bytes / tokens
 *    coverage        1 − (characters that became unk or byte-fallback tokens) / characters        share 0–1
 *    unknownTokens   unk tokens / tokens, fallbackTokens: single bytes of a fallback / tokens                   share 0–1
 *    splitWords      words of more than one token / words, each word encoded as it stands in a sentence        share 0–1
 *    parity          tokens of language l / tokens of the reference language, over the same texts in both
 * Sources: Ács 2019 (fertility); Petrov et al. 2023, arXiv 2305.15425 (parity).
 * A byte-level vocabulary covers everything: its coverage is 1 and the other numbers tell the cost.
 */
import { FieldError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface Fertility {
  readonly texts: number;
  readonly words: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly characters: number;
  readonly fertility: number;
  readonly bytesPerToken: number;
  readonly coverage: number;
  readonly unknownTokens: number;
  readonly fallbackTokens: number;
  readonly splitWords: number;
}

const PLAIN = { addSpecialTokens: false } as const;

/** `language`: a BCP-47 tag, which decides how words are found. NaN where there is no word or no token. */
export function fertility(tokenizer: Tokenizer, texts: Iterable<string>, language = "und"): Fertility {
  const meter = new FertilityMeter(tokenizer, language);
  for (const text of texts) meter.add(text);
  return meter.result();
}

/** The same, text by text: keeps counts and the different words, not the texts. */
export class FertilityMeter {
  private readonly tokenizer: Tokenizer;
  private readonly segmenter: Intl.Segmenter;
  private readonly isFallback: (id: number) => boolean;
  private readonly isUnknown: (id: number) => boolean;
  private readonly splits = new Map<string, boolean>(); // word → is it split
  private readonly sum = { texts: 0, words: 0, tokens: 0, bytes: 0, characters: 0, missing: 0, unknown: 0, fallback: 0, split: 0 };

  constructor(tokenizer: Tokenizer, language = "und") {
    this.tokenizer = tokenizer;
    this.segmenter = new Intl.Segmenter(language, { granularity: "word" });
    const fallback = fallbackIds(tokenizer);
    const { unk } = tokenizer.specialTokens;
    this.isFallback = (id) => fallback.has(id);
    this.isUnknown = (id) => id === unk || fallback.has(id);
  }

  add(text: string): void {
    const { tokenizer, sum, splits } = this;
    const ids = tokenizer.encode(text, PLAIN);
    sum.texts++;
    sum.tokens += ids.length;
    sum.bytes += Buffer.byteLength(text, "utf8");
    for (const _ of text) sum.characters++;
    const fallback = ids.reduce((count, id) => count + (this.isFallback(id) ? 1 : 0), 0);
    const unknown = ids.reduce((count, id) => count + (this.isUnknown(id) ? 1 : 0), 0) - fallback;
    sum.fallback += fallback;
    sum.unknown += unknown;
    if (fallback + unknown > 0) sum.missing += unknownCharacters(tokenizer, text, this.isUnknown);
    for (const { segment, isWordLike, index } of this.segmenter.segment(text)) {
      if (!isWordLike) continue;
      sum.words++;
      // With its blank, as most vocabularies have words.
      const word = text[index - 1] === " " ? ` ${segment}` : segment;
      let split = splits.get(word);
      if (split === undefined) {
        split = tokenizer.encode(word, PLAIN).length > 1;
        splits.set(word, split);
      }
      if (split) sum.split++;
    }
  }

  result(): Fertility {
    const { texts, words, tokens, bytes, characters, missing, unknown, fallback, split } = this.sum;
    return {
      texts,
      words,
      tokens,
      bytes,
      characters,
      fertility: tokens / words,
      bytesPerToken: bytes / tokens,
      coverage: 1 - missing / characters,
      unknownTokens: unknown / tokens,
      fallbackTokens: fallback / tokens,
      splitWords: split / words,
    };
  }
}

/** Tokens of each language for one of the reference language; the texts of all languages say the same. */
export function parity(tokens: Readonly<Record<string, number>>, reference: string): Record<string, number> {
  const base = tokens[reference];
  if (base === undefined || !(base > 0))
    throw new FieldError("TOKENIZER_PARITY", {
      at: "reference",
      expected: `one of ${Object.keys(tokens).join(", ")}, with tokens`,
      received: reference,
    });
  return Object.fromEntries(Object.entries(tokens).map(([language, count]) => [language, count / base]));
}

function fallbackIds(tokenizer: Tokenizer): Set<number> {
  const ids = new Set<number>();
  for (let byte = 0; byte < 256; byte++) {
    const id = tokenizer.tokenToId(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

/** Characters that are unknown by themselves; each different one is asked for once. */
function unknownCharacters(tokenizer: Tokenizer, text: string, isUnknown: (id: number) => boolean): number {
  const known = new Map<string, boolean>();
  let unknown = 0;
  for (const character of text) {
    let missing = known.get(character);
    if (missing === undefined) {
      missing = tokenizer.encode(character, PLAIN).some(isUnknown);
      known.set(character, missing);
    }
    if (missing) unknown++;
  }
  return unknown;
}
