/**
 * Keeps documents in which a language identifier sees one language only, sentence by sentence.
 *    faithful   keep iff exactly one distinct label occurs (the released code: no threshold, the label may be any)
 *    strict     and it is the intended one; sentences under 20 characters are ignored, a document of none is dropped (our choice)
 *  Source: Li et al., arXiv 2504.04152; code MaLA-LM/MixCPT. Genuine low-resource text is dropped too where the identifier
 *  errs: look at the kept share, and doubt the filter below one half.
 */
export interface MonolingualFilterOptions {
  readonly sentencesOf: (text: string) => Iterable<string>;
  /** Top label of one sentence, language and script, e.g. `deu_Latn`. */
  readonly labelOf: (sentence: string) => string;
  /** The intended label; null for the released code's mode. */
  readonly strict: string | null;
}

export type MonolingualVerdict =
  | { readonly keep: true; readonly label: string }
  | { readonly keep: false; readonly reason: "no-sentence" | "several-languages" | "other-language"; readonly labels: readonly string[] };

const MIN_CHARACTERS = 20;

export function monolingualVerdict(text: string, { sentencesOf, labelOf, strict }: MonolingualFilterOptions): MonolingualVerdict {
  const labels = new Set<string>();
  for (const sentence of sentencesOf(text)) if (strict === null || [...sentence].length >= MIN_CHARACTERS) labels.add(labelOf(sentence));
  const [label, other] = labels;
  if (label === undefined) return { keep: false, reason: "no-sentence", labels: [] };
  if (other !== undefined) return { keep: false, reason: "several-languages", labels: [...labels] };
  return strict === null || label === strict ? { keep: true, label } : { keep: false, reason: "other-language", labels: [label] };
}
