/**
 * Supervised fastText models (`.bin`, quantized `.ftz`), such as lid.176, GlotLID and OpenLID: labels and scores as the original gives
 * them (Joulin et al., arXiv 1607.01759, 1612.03651; facebookresearch/fastText 0.9.2).
 *
 *   x = mean of the input rows of the text's words, their character n-grams (minn … maxn) and its word n-grams (wordNgrams)
 *   softmax              score = softmax(W x)               one vs all, negative sampling   score = σ(W x)
 *   hierarchical         score = product of σ(± w·x) down a Huffman tree of label counts
 *
 * A score is exp of a sum of log(p + 10⁻⁵), as in the original, and can exceed 1 by as much. The file is mapped into memory and shared
 * by all threads; nothing in it is executed.
 */
import { FieldError } from "../../errors.ts";
import { corpusNative, type NativeHandle } from "../native.ts";

export interface LabelScore {
  /** As in the model, without `__label__`. */
  readonly label: string;
  readonly score: number;
}

export class FastTextModel {
  readonly path: string;
  readonly labels: readonly string[];
  private readonly model: NativeHandle<"fastText">;
  private readonly native = corpusNative();
  private readonly found: Int32Array;
  private readonly scores: Float32Array;

  constructor(path: string) {
    this.path = path;
    try {
      this.model = this.native.openFastText(path);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new FieldError(
        "FASTTEXT_MODEL",
        {
          at: path,
          expected: "a fastText classifier, .bin or .ftz",
          received: message,
          todo: "download the file again, or give the path of another model",
        },
        { cause },
      );
    }
    this.labels = this.native.fastTextLabels(this.model).split("\n");
    this.found = new Int32Array(this.labels.length);
    this.scores = new Float32Array(this.labels.length);
  }

  /** The `k` best labels whose score is at least `threshold`, best first. Line breaks count as spaces. */
  predict(text: string, { k = 1, threshold = 0 }: { k?: number; threshold?: number } = {}): LabelScore[] {
    const limit = Math.min(k, this.labels.length);
    const count = this.native.fastTextPredict(this.model, text, threshold, this.found.subarray(0, limit), this.scores.subarray(0, limit));
    return Array.from({ length: count }, (_, i) => ({ label: this.labels[this.found[i]!]!, score: this.scores[i]! }));
  }
}
