/**
 * Language identification of documents: the best label, its score, and every alternative above a bound (FineWeb2 §2; top 3 in HPLT v3 §2).
 * Nothing is rejected here; thresholds come later, when the scores of a whole language are known.
 */
import { z } from "zod";
import type { Document, Json } from "../document.ts";
import { FastTextModel } from "./fasttext.ts";
import { languageOf } from "./labels.ts";

export const identifySchema = z.strictObject({
  model: z.string().min(1).describe("path of a fastText model, .bin or .ftz"),
  cleanup: z
    .enum(["newlines", "letters"])
    .default("newlines")
    .describe("what the model sees: the text on one line, or only its lowercase letters and spaces (HPLT)"),
  alternativesAbove: z.number().min(0).max(1).default(0.01).describe("alternatives with a score above this are stored"),
  maxAlternatives: z.int().min(0).max(100).default(10).describe("alternatives stored at most"),
  maxCharacters: z.int().positive().default(100_000).describe("characters of a document that are looked at"),
});
export type IdentifySettings = z.output<typeof identifySchema>;

/** Lowercase, white space collapsed, everything but letters, marks, connector punctuation and spaces removed (HPLT v3 §2). */
export const lettersOnly = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/\s+/gu, " ")
    .replace(/[^\p{L}\p{M}\p{Nl}\p{No}\p{Pc}\p{Zs}]/gu, "");

export interface Identification {
  readonly language: string;
  readonly script: string;
  /** 0–1. */
  readonly score: number;
  /** Labels of the model with their scores, best first, the chosen one not included. */
  readonly alternatives: readonly (readonly [label: string, score: number])[];
}

const UNKNOWN: Identification = { language: "und", script: "Zyyy", score: 0, alternatives: [] };

/** Scores as they are stored: probabilities, in steps of 10⁻⁴. */
const stored = (score: number) => Math.round(Math.min(1, score) * 10_000) / 10_000;

export class LanguageIdentifier {
  readonly settings: IdentifySettings;
  private readonly model: FastTextModel;

  constructor(settings: IdentifySettings) {
    this.settings = settings;
    this.model = new FastTextModel(settings.model);
  }

  identify(text: string): Identification {
    const { cleanup, alternativesAbove, maxAlternatives, maxCharacters } = this.settings;
    const part = text.length <= maxCharacters ? text : text.slice(0, maxCharacters);
    const shown = cleanup === "letters" ? lettersOnly(part) : part;
    if (shown.trim() === "") return UNKNOWN;
    const [best, ...rest] = this.model.predict(shown, { k: maxAlternatives + 1 });
    if (!best) return UNKNOWN;
    const alternatives = rest.filter(({ score }) => score > alternativesAbove).map(({ label, score }) => [label, stored(score)] as const);
    return { ...languageOf(best.label, part), score: stored(best.score), alternatives };
  }

  /** The document with its language, script and score; the alternatives become the annotation `identify`. */
  annotate(document: Document): Document {
    const { language, script, score, alternatives } = this.identify(document.text);
    const annotation: Json = { alternatives };
    return { ...document, language, script, languageScore: score, annotations: { ...document.annotations, identify: annotation } };
  }
}
