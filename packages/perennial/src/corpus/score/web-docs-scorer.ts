/**
 * Web Docs Scorer (HPLT v3): one quality score, 0–10, without a model. W, P, S, N: word, punctuation, singular and number
 * characters of the document; a segment is a line; sub-scores 0–10, thresholds of the language in `language-profile.ts`.
 *   language     over segments with more word characters than a menu entry: 10 · right/(right + wrong), by labels of the lines
 *   url          q = max(count "www", count "http") / (W/(100·menu)): 10 up to 3, 10 … 7.5 up to 5, 8.33 … 0 up to 10
 *   punctuation, singular, numbers   100·P/W, 100·S/W, 100·N/W through piecewise-linear knots; 0 without word characters
 *   repeated     segments of at least menu length: 10 · distinct/all; 10 if there is none
 *   numLong      segments in the right language longer than longMin, at most 10; each scores s = 10·(min(w, longMax) − longMin)/(longMax − longMin)
 *   great        mean of the s > 5, plus 0.1
 *   score = min(10, (0.8·language + numLong/10 + great/10) · p(1) · p(2) · mean(p(3) … p(6)))
 *   p: url, punctuation, singular, numbers, repeated, informativeness, each /10, ascending
 * Source: HPLT 3.0, arXiv 2511.01066, code pablop16n/web-docs-scorer 37a3f34; definitions in the specification `hplt3`, section 6.
 */
import { codePoints } from "../words/characters.ts";
import { type CharacterCounts, countCharacters } from "./character-classes.ts";
import { informativeness } from "./informativeness.ts";
import { type LanguageProfile, languageProfiles, type Medians } from "./language-profile.ts";
import { interpolate, round1 } from "./round.ts";

export interface WebDocsScore {
  readonly score: number;
  readonly language: number;
  readonly url: number;
  readonly punctuation: number;
  readonly singular: number;
  readonly numbers: number;
  readonly repeated: number;
  readonly numLong: number;
  readonly great: number;
  readonly informativeness: number;
}

export interface ScoredText {
  readonly text: string;
  /** Language and script of the document, e.g. `spa_Latn`. */
  readonly label: string;
  /** Label of each line; a list of another length makes the language score 10, as in the reference. */
  readonly lineLabels: readonly string[];
  /** Confidence of each line's label; a wrong line counts only above 0.2. */
  readonly lineConfidences?: readonly number[];
}

export interface ScorerOptions {
  /** Bytes of the zstd frame at the default level, see `openZstdSize`. */
  readonly compressedBytes: (bytes: Uint8Array) => number;
  /** Medians by label; default: the published ones. */
  readonly medians?: ReadonlyMap<string, Medians>;
}

export function webDocsScorer({ compressedBytes, medians }: ScorerOptions): (input: ScoredText) => WebDocsScore {
  const profileOf = languageProfiles(medians);
  return (input) => {
    const profile = profileOf(input.label);
    const lines = input.text.split("\n");
    const counts = lines.map(countCharacters);
    const total = (of: keyof CharacterCounts) => counts.reduce((sum, count) => sum + count[of], 0);
    const word = total("word");
    const wordsByLine = counts.map((count) => count.word);
    const parts = {
      language: languagePart(input, wordsByLine, profile),
      url: urlPart(input.text, word, profile),
      punctuation: ratioPart(total("punctuation"), word, profile.punctuation),
      singular: ratioPart(total("singular"), word, profile.singular),
      numbers: ratioPart(total("numbers"), word, profile.numbers),
      repeated: repeatedPart(lines, profile),
      ...longParts(input, wordsByLine, profile),
      informativeness: informativeness(input.text, input.label.slice(-4), compressedBytes),
    };
    const rounded = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, round1(value)])) as unknown as typeof parts;
    return { score: combine(parts), ...rounded };
  };
}

/** The order of HPLT's `doc_scores`. */
export const docScores = (scores: WebDocsScore): number[] => [
  scores.score,
  scores.language,
  scores.url,
  scores.punctuation,
  scores.singular,
  scores.numbers,
  scores.repeated,
  scores.numLong,
  scores.great,
  scores.informativeness,
];

export function combine(parts: Omit<WebDocsScore, "score">): number {
  const { language, numLong, great } = parts;
  const penalties = [parts.url, parts.punctuation, parts.singular, parts.numbers, parts.repeated, parts.informativeness];
  const [first, second, ...rest] = penalties.map((value) => value / 10).sort((a, b) => a - b) as [number, number, ...number[]];
  const penalty = first * second * (rest.reduce((sum, value) => sum + value, 0) / rest.length);
  return Math.min(10, round1((0.8 * language + numLong / 10 + great / 10) * penalty));
}

function languagePart({ label, lineLabels, lineConfidences }: ScoredText, words: readonly number[], { menu }: LanguageProfile): number {
  if (lineLabels.length !== words.length || (lineConfidences && lineConfidences.length !== words.length)) return 10;
  let right = 0;
  let wrong = 0;
  for (const [i, count] of words.entries()) {
    if (count <= menu) continue;
    if (lineLabels[i] === label) right += count;
    else if ((lineConfidences?.[i] ?? 1) > 0.2) wrong += count;
  }
  return right === 0 ? 0 : round1((10 * right) / (right + wrong));
}

export function urlPart(text: string, word: number, { menu }: Pick<LanguageProfile, "menu">): number {
  const density = Math.max(text.split("www").length, text.split("http").length) - 1;
  const q = density / (word / (100 * menu) || 0.1);
  if (q <= 3) return 10;
  if (q >= 10) return 0;
  // Two straight lines that do not meet at 5: so in the reference.
  return round2(q <= 5 ? (5 * (q - 7)) / (3 - 7) + 5 : (5 * (q - 10)) / (7 - 10));
}

export function ratioPart(characters: number, word: number, knots: LanguageProfile["numbers"]): number {
  return word === 0 ? 0 : round1(interpolate(knots, round1((100 * characters) / word)));
}

export function repeatedPart(lines: readonly string[], { menu }: Pick<LanguageProfile, "menu">): number {
  const long = lines.filter((line) => line.length >= menu && codePoints(line) >= menu);
  return long.length === 0 ? 10 : round1((10 * new Set(long).size) / long.length);
}

export function longParts(
  { label, lineLabels }: Pick<ScoredText, "label" | "lineLabels">,
  words: readonly number[],
  { longMin, longMax }: Pick<LanguageProfile, "longMin" | "longMax">,
): { numLong: number; great: number } {
  const aligned = lineLabels.length === words.length;
  const scores: number[] = [];
  for (const [i, count] of words.entries()) {
    if ((aligned && lineLabels[i] !== label) || count <= longMin) continue;
    scores.push(round1((10 * (Math.min(count, longMax) - longMin)) / (longMax - longMin)));
  }
  const high = scores.filter((score) => score > 5);
  const great = high.length === 0 ? 0 : Math.min(10, high.reduce((sum, score) => sum + score, 0) / high.length + 0.1);
  return { numLong: Math.min(10, scores.length), great };
}

const round2 = (value: number): number => Math.round(value * 100) / 100;
