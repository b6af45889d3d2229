import type { Batch, Source } from "../../mixture/source.ts";
import { stream } from "../../stream.ts";

/** Step n of this source is always the same batch [B,T] of ids below `vocabSize`. */
export function numberedSource({ B, T, vocabSize }: { B: number; T: number; vocabSize: number }): Source {
  let step = 0;
  const batch = (): Batch => {
    const random = stream(1, `batch ${step++}`);
    const ids = Int32Array.from({ length: B * (T + 1) }, () => random.integer(vocabSize));
    const rows = (from: number) => Int32Array.from({ length: B * T }, (_, i) => ids[Math.floor(i / T) * (T + 1) + (i % T) + from]!);
    return {
      ...{ batchSize: B, sequenceLength: T, inputIds: rows(0), labels: rows(1) },
      positionIds: Int32Array.from({ length: B * T }, (_, i) => i % T),
      documentIds: new Int32Array(B * T),
      ...{ targetTokens: B * T, targetTokensBySource: { text: B * T } },
    };
  };
  return { next: (count) => Array.from({ length: count }, batch), state: () => ({ step }), restore: () => {} };
}
