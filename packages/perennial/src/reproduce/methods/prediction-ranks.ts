/**
 * What a model knows of a domain's set phrases, whatever the prompt: the rank of an n-gram's last token after its first n − 1.
 *   rank = 1 + number of tokens that the model holds likelier       n = 4
 * An n-gram is typical of a domain that has it at least 5 times, and at least 10 times as often (by token) as all others together.
 * Source: arXiv 2402.17400, second version; n and the counts are our choice, specification `domain-sequence-cpt`.
 */
import { noGrad, scope, tensor, torch } from "@perennial/torch";
import type { Decoder } from "../../model/index.ts";

const N = 4;
const MIN_COUNT = 5;
const MIN_RATIO = 10;
/** Of a domain, the most frequent first. */
const MAX_NGRAMS = 200;

export type Documents = readonly (readonly number[])[];

/** By domain, n-grams within documents. Ties of frequency keep the order of the text. */
export function typicalNgrams(domains: ReadonlyMap<string, Documents>): Map<string, number[][]> {
  const counted = [...domains].map(([name, documents]) => {
    const counts = new Map<string, number>();
    let total = 0;
    for (const document of documents)
      for (let i = 0; i + N <= document.length; i++, total++) {
        const key = document.slice(i, i + N).join();
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    return { name, counts, total };
  });
  return new Map(
    counted.map(({ name, counts, total }) => {
      const others = counted.filter((other) => other.name !== name);
      const othersTotal = others.reduce((sum, other) => sum + other.total, 0);
      const isTypical = ([key, count]: [string, number]) => {
        const elsewhere = others.reduce((sum, other) => sum + (other.counts.get(key) ?? 0), 0);
        return count >= MIN_COUNT && count * othersTotal >= MIN_RATIO * elsewhere * total;
      };
      const typical = [...counts].filter(isTypical).sort(([, a], [, b]) => b - a);
      return [name, typical.slice(0, MAX_NGRAMS).map(([key]) => key.split(",").map(Number))];
    }),
  );
}

/** Of each n-gram's last token, after `start` and the others. */
export function predictionRanks(model: Decoder, ngrams: readonly (readonly number[])[], start: number): number[] {
  if (ngrams.length === 0) return [];
  const inputs = Int32Array.from(ngrams.flatMap((ngram) => [start, ...ngram.slice(0, -1)]));
  const last = Int32Array.from(ngrams.map((ngram) => ngram.at(-1)!));
  return noGrad(() =>
    scope(() => {
      const inputIds = tensor(inputs, { shape: [ngrams.length, N], dtype: "int64" });
      const logits = torch.select(model.logits({ inputIds }), 1, N - 1).float(); // [B,N,V] → [B,V]
      const own = logits.gather(1, tensor(last, { shape: [ngrams.length, 1], dtype: "int64" }));
      return [...torch.gt(logits, own).to("float32").sum([1]).toFloat32Array()].map((likelier) => likelier + 1);
    }),
  );
}
