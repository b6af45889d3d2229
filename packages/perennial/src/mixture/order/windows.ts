/**
 * Windows of L tokens over documents in order: a plan of spans, before any token is read.
 *    stream = documents along the order, each with its end token; cut every L tokens; the incomplete tail is dropped;
 *    then the **windows** are shuffled: relatedness belongs inside a window, not between the windows of a batch
 *  Attention runs over the whole window, without a document mask, and every token counts.
 *  Documents shorter than `minTokens` are left out (Llama-3-SynE: 20). Sources: arXiv 2310.10638 and 2407.18743.
 */
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";

/** Window w holds spans `offsets[w] … offsets[w+1])`; a span is tokens [start, end) of a document. In training order. */
export interface Windows {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly documents: Uint32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly droppedTokens: number;
  readonly shortDocuments: number;
}

export interface WindowOptions {
  /** L. */
  readonly windowTokens: number;
  /** Null keeps the windows along the path, for inspection; training wants them shuffled. */
  readonly shuffleSeed: number | null;
  readonly minTokens?: number;
}

/** `tokensOf(document)` counts the end token. */
export function cutWindows(order: Iterable<number>, tokensOf: (document: number) => number, options: WindowOptions): Windows {
  const { windowTokens, shuffleSeed, minTokens = 1 } = options;
  if (!(Number.isInteger(windowTokens) && windowTokens >= 1))
    throw new FieldError("ORDER_WINDOW", { at: "windowTokens", expected: "a whole number of tokens from 1", received: windowTokens });
  const spans: { document: number; start: number; end: number }[][] = [];
  let open: { document: number; start: number; end: number }[] = [];
  let room = windowTokens;
  let shortDocuments = 0;
  for (const document of order) {
    const tokens = tokensOf(document);
    if (tokens < minTokens) {
      shortDocuments++;
      continue;
    }
    for (let start = 0; start < tokens; ) {
      const end = Math.min(tokens, start + room);
      open.push({ document, start, end });
      room -= end - start;
      start = end;
      if (room === 0) {
        spans.push(open);
        open = [];
        room = windowTokens;
      }
    }
  }
  if (shuffleSeed !== null) stream(shuffleSeed, "windows").shuffle(spans);
  const flat = spans.flat();
  const offsets = new Uint32Array(spans.length + 1);
  for (const [w, window] of spans.entries()) offsets[w + 1] = offsets[w]! + window.length;
  return {
    count: spans.length,
    offsets,
    documents: Uint32Array.from(flat, (span) => span.document),
    starts: Uint32Array.from(flat, (span) => span.start),
    ends: Uint32Array.from(flat, (span) => span.end),
    droppedTokens: windowTokens - room,
    shortDocuments,
  };
}
