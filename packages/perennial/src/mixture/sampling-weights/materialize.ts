/**
 * Which documents make up a source's tokens: cycles over the source, a new order each epoch, until the target is met.
 *    each document is taken ⌊epochs⌋ or ⌈epochs⌉ times; the total passes the target by less than the last document
 *  The released script cycles in file order with estimated counts; shuffling and exact counts are our choice, because a
 *  partial last epoch would otherwise always be the head of the first file. Source: AfriqueLLM, arXiv 2601.06395.
 */
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";

/** Document numbers in order. `documentTokens`: tokens per document, all above 0. */
export function* materialize(name: string, documentTokens: ArrayLike<number>, targetTokens: number, seed: number): Generator<number> {
  const documents = Uint32Array.from({ length: documentTokens.length }, (_, i) => i);
  if (documents.length === 0 || documents.some((document) => !(documentTokens[document]! > 0)))
    throw new FieldError("MIXTURE_SOURCES", {
      at: `source ${name}`,
      expected: "at least one document, each with at least one token",
      received: documents.length,
    });
  let taken = 0;
  for (let epoch = 0; taken < targetTokens; epoch++) {
    for (const document of shuffled(documents, stream(seed, `${name} epoch ${epoch}`))) {
      if (taken >= targetTokens) return;
      yield document;
      taken += documentTokens[document]!;
    }
  }
}

function shuffled(documents: Uint32Array, random: ReturnType<typeof stream>): Uint32Array {
  const order = documents.slice();
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
