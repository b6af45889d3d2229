import { documentStart, type TokenCorpus } from "../data/index.ts";
import { FieldError } from "../errors.ts";
import { BatchBuilder, IGNORED } from "./batch.ts";
import type { Batch } from "./source.ts";

/** Part of a document: the targets `from … to − 1` of its list, of which those from `firstTarget` on count here; the others are context. */
export interface RollingWindow {
  readonly from: number;
  readonly to: number;
  readonly firstTarget: number;
}

/**
 * Windows in which every target of a document is predicted exactly once.
 * Targets are t₁ … tₙ (here 0 … n−1), the input of target i is the token before it (of target 0: the prefix). L is the window, c the
 * context: the first window predicts min(L, n) targets; each next one min(rest, L − c + 1) targets, with the L inputs that end at the
 * last of them. Only a shorter last window gives its targets more than c tokens of context.
 * Golden, n = 10, L = 4, c = 1 (inputs → targets counted): P012 → 0123 · 3456 → 4567 · 5678 → 89.
 * Source: lm-eval `get_rolling_token_windows`.
 */
export function* rollingWindows(numTargets: number, windowLength: number, context = 1): Generator<RollingWindow> {
  let done = Math.min(windowLength, numTargets);
  if (done > 0) yield { from: 0, to: done, firstTarget: 0 };
  while (done < numTargets) {
    const to = Math.min(numTargets, done + windowLength - context + 1);
    yield { from: to - windowLength, to, firstTarget: done };
    done = to;
  }
}

export interface EvaluationOptions {
  /** L, tokens in a row: as a rule the model's context. */
  readonly sequenceLength: number;
  readonly batchSize: number;
  /** c, tokens of context at the start of each further window of a document. */
  readonly context?: number;
  /** P, before the first token of a document, for corpora whose documents have no token put before them. */
  readonly prefixTokenId?: number;
  /** Whether the token put after each document counts in the loss. Other tools do not count it, so it is off by default. */
  readonly scoreEnd?: boolean;
  /** The first so many documents only. */
  readonly maxDocuments?: number;
  /** Name in `targetTokensBySource`. */
  readonly source?: string;
}

/** Where a window stands in a batch: positions `start … end − 1` of a row, of which those from `firstTarget` on have labels. */
export interface EvaluationSegment {
  readonly document: number;
  readonly row: number;
  readonly start: number;
  readonly end: number;
  readonly firstTarget: number;
}

export interface EvaluationBatch {
  readonly batch: Batch;
  readonly segments: readonly EvaluationSegment[];
  /** UTF-8 bytes of the texts whose last window is in this batch: over all batches, the bytes of all texts. */
  readonly bytes: number;
}

/**
 * The rolling windows of all documents, several to a row where they fit (each with positions and a document number of its own), in the
 * order of the corpus. bitsPerByte = Σ lossSum / (ln 2 · Σ bytes) over all batches. Without `prefixTokenId` (and without a token put
 * before documents) nothing predicts the first token of a document, so it is context only.
 */
export function* evaluationBatches(corpus: TokenCorpus, options: EvaluationOptions): Generator<EvaluationBatch> {
  const { sequenceLength: L, batchSize, context = 1, scoreEnd = false, source = "evaluation" } = options;
  if (!(Number.isInteger(context) && context >= 1 && context <= L))
    throw new FieldError("EVALUATION_CONTEXT", { at: "context", expected: `an integer from 1 to ${L}`, received: context });
  const prefix = corpus.prependTokenId === null ? options.prefixTokenId : undefined;
  const documents = Math.min(options.maxDocuments ?? Number.POSITIVE_INFINITY, corpus.numDocuments);
  const tokens = new Int32Array(L + 1);
  let page = new Page(batchSize, L, source);
  for (let document = 0, start = 0; document < documents; document++) {
    const end = corpus.documentEnd(document) - (corpus.appendTokenId !== null && !scoreEnd ? 1 : 0);
    // Target i is the token at base + i, its input the one before; the prefix stands before the first token.
    const base = prefix === undefined ? start + 1 : start;
    for (const window of rollingWindows(end - base, L, context)) {
      const length = window.to - window.from;
      if (!page.hasRoom(length)) {
        yield page.finish();
        page = new Page(batchSize, L, source);
      }
      const first = base + window.from - 1;
      if (first < start) {
        tokens[0] = prefix!;
        corpus.read(start, length, tokens, 1);
      } else corpus.read(first, length + 1, tokens, 0);
      page.add(document, tokens, length, window.firstTarget - window.from);
    }
    page.bytes += corpus.documentBytes(document);
    start = documentStart(corpus, document + 1);
  }
  if (page.segments.length > 0 || page.bytes > 0) yield page.finish();
}

/** A batch that windows are laid into, one after another. */
class Page {
  bytes = 0;
  readonly segments: EvaluationSegment[] = [];
  private readonly builder: BatchBuilder;
  private readonly source: string;
  private row = 0;
  private column = 0;
  private documentId = 0;

  constructor(batchSize: number, sequenceLength: number, source: string) {
    this.builder = new BatchBuilder(batchSize, sequenceLength);
    this.source = source;
  }

  hasRoom(length: number): boolean {
    const { batchSize, sequenceLength } = this.builder;
    return this.column + length <= sequenceLength || this.row + 1 < batchSize;
  }

  /** `tokens[0 .. length]` are the inputs and, one further, the targets; the first `ignored` targets are context. */
  add(document: number, tokens: Int32Array, length: number, ignored: number): void {
    const { builder } = this;
    if (this.column + length > builder.sequenceLength) this.closeRow();
    const at = this.row * builder.sequenceLength + this.column;
    builder.inputIds.set(tokens.subarray(0, length), at);
    builder.labels.set(tokens.subarray(1, length + 1), at);
    builder.labels.fill(IGNORED, at, at + ignored);
    builder.span(at, at + length, this.documentId++);
    builder.count(this.source, length - ignored);
    const start = this.column;
    this.segments.push({ document, row: this.row, start, end: start + length, firstTarget: start + ignored });
    this.column += length;
  }

  finish(): EvaluationBatch {
    this.closeRow();
    return { batch: this.builder.finish(), segments: this.segments, bytes: this.bytes };
  }

  private closeRow(): void {
    const { sequenceLength } = this.builder;
    this.builder.span(this.row * sequenceLength + this.column, (this.row + 1) * sequenceLength, this.documentId);
    this.row++;
    this.column = 0;
    this.documentId = 0;
  }
}
