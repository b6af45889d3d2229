/**
 * The web docs scorer's thresholds for a language, scaled from Spanish by the medians of its ratios on clean text:
 *   ratios (percent of word characters)   t_l = round1(t_spa · med_l / med_spa), the greatest capped at 100
 *   lengths (characters), by punctuation  menu = round(25 · 2.4/P_l), long = round(250 · 2.4/P_l) … round(1000 · 2.4/P_l)
 * A language without medians takes the mean over its family in the same script, failing that the mean of all adapted thresholds.
 * (The reference asks the genus first; and where the greatest number ratio is capped, the one below it becomes 100 too.)
 */
import { languageFamily } from "../words/fallback.ts";
import { round1, roundEven } from "./round.ts";

/** Medians on clean text, percent of word characters. */
export interface Medians {
  readonly numbers: number;
  readonly punctuation: number;
  readonly singular: number;
}

const medians = (numbers: number, punctuation: number, singular: number): Medians => ({ numbers, punctuation, singular });

/** Published medians; more languages can be handed to the scorer, measured with `measureMedians`. */
export const PUBLISHED_MEDIANS: ReadonlyMap<string, Medians> = new Map([
  ["spa_Latn", medians(1.3, 2.4, 0.3)],
  ["eng_Latn", medians(1.3, 2.9, 0.5)],
  ["fra_Latn", medians(1.3, 3.4, 1.0)],
  ["deu_Latn", medians(1.2, 2.8, 0.4)],
  ["fin_Latn", medians(1.4, 2.7, 0.3)],
  ["rus_Cyrl", medians(1.6, 3.1, 0.4)],
  ["arb_Arab", medians(1.8, 2.4, 0.4)],
  ["hin_Deva", medians(2.6, 2.0, 0.3)],
  ["ben_Beng", medians(1.2, 1.7, 0.4)],
  ["tha_Thai", medians(2.0, 1.2, 0.3)],
  ["jpn_Jpan", medians(4.2, 6.5, 0.8)],
  ["kor_Hang", medians(6.6, 7.3, 1.2)],
  ["cmn_Hani", medians(9.0, 9.9, 1.5)],
]);

const SPANISH = PUBLISHED_MEDIANS.get("spa_Latn")!;

/** Score 10 … 0 at rising percentages. */
type Knots = readonly (readonly [percent: number, score: number])[];

export interface LanguageProfile {
  /** Longest menu entry, and where a long segment starts and ends to gain, in characters. */
  readonly menu: number;
  readonly longMin: number;
  readonly longMax: number;
  readonly punctuation: Knots;
  readonly singular: Knots;
  readonly numbers: Knots;
}

/** The numbers behind a profile, in one order, so that they can be averaged over languages. */
type Scaled = readonly number[];

function scaled({ numbers, punctuation, singular }: Medians): Scaled {
  const p = (percent: number) => round1((percent * punctuation) / SPANISH.punctuation);
  const s = (percent: number) => round1((percent * singular) / SPANISH.singular);
  const n = (percent: number) => round1((percent * numbers) / SPANISH.numbers);
  const length = (characters: number) => roundEven((SPANISH.punctuation * characters) / punctuation);
  const mostNumbers = Math.min(100, n(30));
  return [
    ...[length(25), length(250), length(1000)],
    ...[p(0.3), p(0.9), p(2.5), p(9), p(13), Math.min(100, p(25))],
    ...[s(1), s(2), s(6), Math.min(100, s(10))],
    ...[n(1), n(10), mostNumbers === 100 ? 100 : n(15), mostNumbers],
  ];
}

function profile(values: Scaled): LanguageProfile {
  const [menu, longMin, longMax, p0, p1, p2, p3, p4, p5, s1, s2, s3, s4, n1, n2, n3, n4] = values as number[] & { length: 17 };
  const falling = (a: number, b: number, c: number, d: number): Knots => [
    [a, 10],
    [b, 7],
    [c, 5],
    [d, 0],
  ];
  return {
    menu: menu!,
    longMin: longMin!,
    longMax: longMax!,
    punctuation: [[0, 0], [p0!, 5], [p1!, 10], ...falling(p2!, p3!, p4!, p5!)],
    singular: falling(s1!, s2!, s3!, s4!),
    numbers: falling(n1!, n2!, n3!, n4!),
  };
}

/** Profiles for labels such as `kab_Latn`, made once each. */
export function languageProfiles(known: ReadonlyMap<string, Medians> = PUBLISHED_MEDIANS): (label: string) => LanguageProfile {
  const made = new Map<string, LanguageProfile>();
  return (label) => {
    let found = made.get(label);
    if (found === undefined) {
      found = profile(valuesFor(label, known));
      made.set(label, found);
    }
    return found;
  };
}

function valuesFor(label: string, known: ReadonlyMap<string, Medians>): Scaled {
  const own = known.get(label);
  if (own !== undefined) return scaled(own);
  const family = languageFamily(label);
  const script = label.slice(-4);
  const relatives = [...known].filter(([other]) => family !== undefined && other.endsWith(script) && languageFamily(other) === family);
  if (relatives.length > 0) {
    const mean = (of: keyof Medians) => round2(relatives.reduce((sum, [, values]) => sum + values[of], 0) / relatives.length);
    return scaled({ numbers: mean("numbers"), punctuation: mean("punctuation"), singular: mean("singular") });
  }
  const all = [...known.values()].map(scaled);
  return all[0]!.map((_, i) => Math.round((all.reduce((sum, values) => sum + values[i]!, 0) / all.length) * 1000) / 1000);
}

const round2 = (value: number): number => Math.round(value * 100) / 100;
