/** A corpus with some of its documents in another order, whole or only their first tokens: a view, twelve bytes a document. */
import { createHash } from "node:crypto";
import { documentStart, type TokenCorpus } from "../../data/token-corpus.ts";

export class OrderedCorpus implements TokenCorpus {
  readonly hash: string;
  readonly vocabSize: number;
  readonly prependTokenId: number | null;
  readonly appendTokenId: number | null;
  readonly numTokens: number;
  readonly numDocuments: number;
  readonly textBytes: number;
  private readonly corpus: TokenCorpus;
  private readonly order: Uint32Array;
  /** One behind the last token of each document, in the new order. Doubles: a corpus may have more than 2³² tokens. */
  private readonly ends: Float64Array;

  /** `maxTokens`: of each document. */
  constructor(corpus: TokenCorpus, order: Uint32Array, maxTokens = Number.POSITIVE_INFINITY) {
    this.corpus = corpus;
    this.order = order;
    this.vocabSize = corpus.vocabSize;
    this.prependTokenId = corpus.prependTokenId;
    this.appendTokenId = corpus.appendTokenId;
    this.numDocuments = order.length;
    this.ends = new Float64Array(order.length);
    let [tokens, bytes] = [0, 0];
    for (const [i, document] of order.entries()) {
      tokens += Math.min(maxTokens, corpus.documentEnd(document) - documentStart(corpus, document));
      bytes += corpus.documentBytes(document);
      this.ends[i] = tokens;
    }
    this.numTokens = tokens;
    this.textBytes = bytes;
    const of = createHash("sha256")
      .update(new Uint8Array(order.buffer, order.byteOffset, order.byteLength))
      .digest("hex");
    this.hash = `${corpus.hash}/order-${of.slice(0, 16)}${maxTokens === Number.POSITIVE_INFINITY ? "" : `-${maxTokens}`}`;
  }

  read(start: number, count: number, target: Int32Array, at: number): void {
    if (start < 0 || start + count > this.numTokens)
      throw new RangeError(`tokens ${start} to ${start + count} of a corpus of ${this.numTokens}`);
    for (let done = 0, i = this.documentAt(start); done < count; i++) {
      const begin = i === 0 ? 0 : this.ends[i - 1]!;
      const skip = Math.max(0, start - begin);
      const here = Math.min(count - done, this.ends[i]! - begin - skip);
      if (here > 0) this.corpus.read(documentStart(this.corpus, this.order[i]!) + skip, here, target, at + done);
      done += here;
    }
  }

  documentAt(position: number): number {
    let [low, high] = [0, this.ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** UTF-8 bytes of the whole document, also where only its head is read. */
  documentBytes(document: number): number {
    return this.corpus.documentBytes(this.order[document]!);
  }

  documentEnd(document: number): number {
    return this.ends[document]!;
  }
}
