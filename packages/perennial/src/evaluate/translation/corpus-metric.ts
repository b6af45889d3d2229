import { FieldError } from "../../errors.ts";

/**
 * A metric whose corpus score is a function of sums over segments, so that resampling a test set means adding rows again, not reading
 * texts again. `statistics` gives one segment's row, always of the same length; rows add up; `score` maps the sums to a number.
 */
export interface CorpusMetric<Score> {
  readonly name: string;
  statistics(hypothesis: string, references: readonly string[]): number[];
  score(sums: ArrayLike<number>): Score;
  /** What a reader needs to repeat the number, in sacreBLEU's notation. */
  signature(context: SignatureContext): string;
}

export interface SignatureContext {
  /** References per segment; "var" when segments differ. */
  readonly numReferences: number | "var";
  readonly bootstrapResamples?: number;
  readonly randomizationTrials?: number;
  readonly seed?: number;
}

/** The release whose numbers and signatures this folder reproduces. */
const SACREBLEU_VERSION = "2.6.0";

export function formatSignature(context: SignatureContext, parts: readonly (readonly [string, string | number])[]): string {
  const pairs: (readonly [string, string | number | undefined])[] = [
    ["nrefs", context.numReferences],
    ["bs", context.bootstrapResamples],
    ["ar", context.randomizationTrials],
    ["seed", context.seed],
    ...parts,
    ["version", SACREBLEU_VERSION],
  ];
  return pairs
    .filter(([, value]) => value !== undefined)
    .map((pair) => pair.join(":"))
    .join("|");
}

/** One row per segment. Throws where sacreBLEU would silently cut to the shorter list. */
export function corpusStatistics(
  metric: CorpusMetric<unknown>,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
): number[][] {
  if (hypotheses.length !== references.length)
    throw new FieldError("EVALUATE_SEGMENTS", {
      at: `${metric.name} references`,
      expected: `one list of references for each of the ${hypotheses.length} hypotheses`,
      received: references.length,
      todo: "check that no line was lost or split in either file",
    });
  return hypotheses.map((hypothesis, i) => {
    if (references[i]!.length === 0)
      throw new FieldError("EVALUATE_REFERENCES", {
        at: `${metric.name} references[${i}]`,
        expected: "at least one reference (an empty string is one)",
        received: [],
        todo: "leave the segment out of both lists",
      });
    return metric.statistics(hypothesis, references[i]!);
  });
}

/** Column sums of the rows. */
export function sumStatistics(rows: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(rows[0]?.length ?? 0).fill(0);
  for (const row of rows) for (let k = 0; k < sums.length; k++) sums[k] = sums[k]! + row[k]!;
  return sums;
}

/** References per segment, for the signature. */
export function numReferences(references: readonly (readonly string[])[]): number | "var" {
  const counts = new Set(references.map((list) => list.length));
  return counts.size === 1 ? references[0]!.length : "var";
}

/** Scores a corpus: `references[i]` are the references of `hypotheses[i]`; absent ones are simply not in the list. */
export function scoreCorpus<Score>(
  metric: CorpusMetric<Score>,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
): Score & { signature: string } {
  const rows = corpusStatistics(metric, hypotheses, references);
  if (rows.length === 0)
    throw new FieldError("EVALUATE_SEGMENTS", { at: `${metric.name} hypotheses`, expected: "at least one segment", received: [] });
  return { ...metric.score(sumStatistics(rows)), signature: metric.signature({ numReferences: numReferences(references) }) };
}
