/**
 * Bits per byte = lossSum / (ln 2 · bytes): the code length of the text in bits, per byte of its UTF-8. lossSum: nats over all target
 * tokens. It does not depend on the tokenizer, so models with different vocabularies compare. A ratio of sums, never a mean of ratios.
 */
export function bitsPerByte({ lossSum, bytes }: { readonly lossSum: number; readonly bytes: number }): number {
  return lossSum / (Math.LN2 * bytes);
}
