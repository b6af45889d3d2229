/** Selection by perplexity from files to a file: the reference is counted, the pool is scored, and read again to write what was chosen. */
import { JsonlWriter, Rejections, readDocuments } from "../../corpus/formats/index.ts";
import { PerennialError } from "../../errors.ts";
import { NgramModel, type NgramOptions } from "./ngram-model.ts";
import { type Candidate, selectByPerplexity } from "./select-by-perplexity.ts";

export interface SelectFilesOptions extends NgramOptions {
  readonly pool: readonly string[];
  readonly reference: readonly string[];
  /** `.jsonl`, `.jsonl.gz` or `.jsonl.zst`; written whole or not at all, in the order of the pool. */
  readonly output: string;
  /** UTF-8 bytes of text. */
  readonly bytes: number;
  readonly minWords: number;
  readonly textField: string;
  readonly onProgress?: (progress: { readonly stage: "reference" | "pool" | "writing"; readonly documents: number }) => void;
}

export interface SelectedFiles {
  readonly documents: number;
  readonly bytes: number;
  readonly poolDocuments: number;
  readonly poolBytes: number;
  readonly rejected: number;
  /** Perplexity of the best and of the worst document chosen, and the median of the pool. */
  readonly best: number;
  readonly worst: number;
  readonly poolMedian: number;
}

export async function selectFiles(options: SelectFilesOptions): Promise<SelectedFiles> {
  const { pool, reference, output, bytes, minWords, textField, onProgress = () => {} } = options;
  const writer = await JsonlWriter.open(output);
  try {
    const ngrams = new NgramModel(options);
    const rejections = new Rejections();
    let counted = 0;
    for await (const { text } of readDocuments(reference, { textField, rejections })) {
      ngrams.add(text);
      onProgress({ stage: "reference", documents: ++counted });
    }
    if (counted === 0) throw new PerennialError("SELECT_REFERENCE", `${reference.join(", ")}: the reference has no document.`);
    const candidates: Candidate[] = [];
    for await (const { text } of readDocuments(pool, { textField, rejections })) {
      const { logProbability, words } = ngrams.score(text);
      candidates.push({ perplexity: Math.exp(-logProbability / words), words, size: Buffer.byteLength(text) });
      onProgress({ stage: "pool", documents: candidates.length });
    }
    const chosen = selectByPerplexity(candidates, { budget: bytes, minWords });
    if (chosen.length === 0)
      throw new PerennialError("SELECT_POOL", `${pool.join(", ")}: the pool has no document of at least ${minWords} words.`);
    const wanted = new Set(chosen);
    let position = 0;
    for await (const document of readDocuments(pool, { textField, rejections: new Rejections() })) {
      const { perplexity } = candidates[position]!;
      if (wanted.has(position++)) writer.write({ ...document, perplexity });
      onProgress({ stage: "writing", documents: position });
    }
    writer.close();
    const sizes = (positions: readonly number[]) => positions.reduce((sum, i) => sum + candidates[i]!.size, 0);
    const sorted = candidates.map(({ perplexity }) => perplexity).filter(Number.isFinite).sort((a, b) => a - b); // biome-ignore format: one line
    return {
      documents: chosen.length,
      bytes: sizes(chosen),
      poolDocuments: candidates.length,
      poolBytes: sizes([...candidates.keys()]),
      rejected: rejections.total,
      best: candidates[chosen[0]!]!.perplexity,
      worst: candidates[chosen.at(-1)!]!.perplexity,
      poolMedian: sorted[sorted.length >> 1]!,
    };
  } catch (error) {
    writer.discard();
    throw error;
  }
}
