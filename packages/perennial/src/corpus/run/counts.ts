/** What went into and came out of every step: documents, bytes of text, and drops by reason. Counts of shards add up. */
export interface StepCounts {
  documentsIn: number;
  documentsOut: number;
  /** Bytes of UTF-8 text; of the page as it was fetched before it is extracted. */
  bytesIn: number;
  bytesOut: number;
  /** Reason → documents. */
  readonly dropped: Record<string, number>;
}

export type Funnel = Record<string, StepCounts>;

const empty = (): StepCounts => ({ documentsIn: 0, documentsOut: 0, bytesIn: 0, bytesOut: 0, dropped: {} });

const stepOf = (funnel: Funnel, step: string): StepCounts => {
  funnel[step] ??= empty();
  return funnel[step];
};

export const textBytes = (text: string): number => Buffer.byteLength(text);

export function countKept(funnel: Funnel, step: string, bytesIn: number, bytesOut = bytesIn): void {
  const counts = stepOf(funnel, step);
  counts.documentsIn++;
  counts.documentsOut++;
  counts.bytesIn += bytesIn;
  counts.bytesOut += bytesOut;
}

export function countDropped(funnel: Funnel, step: string, reason: string, bytesIn: number): void {
  const counts = stepOf(funnel, step);
  counts.documentsIn++;
  counts.bytesIn += bytesIn;
  counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1;
}

export function addFunnel(total: Funnel, part: Funnel): void {
  for (const [step, counts] of Object.entries(part)) {
    const sum = stepOf(total, step);
    for (const key of ["documentsIn", "documentsOut", "bytesIn", "bytesOut"] as const) sum[key] += counts[key];
    for (const [reason, count] of Object.entries(counts.dropped)) sum.dropped[reason] = (sum.dropped[reason] ?? 0) + count;
  }
}
