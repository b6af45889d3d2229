/**
 * Rehydration: how often to repeat a deduplicated document, by the size c of the near-duplicate cluster that it stands for.
 * r_c: share of the kept documents of size c that the quality filters remove; g: the same over all sizes; M: most repetitions.
 *   raw_c = 1                                              if r_c ≥ g
 *         = 1 + (M − 1)(r_c − g)/(r_min − g)               otherwise
 * smoothed over 5 consecutive bins (the first two and last two keep raw), rounded to the nearest integer, and kept as
 * { first size of a run: repetitions }. The largest sizes, a thousandth of all clusters, form one last bin.
 * Mid-size clusters are the cleanest: r is U-shaped in c.  Source: FineWeb2, arXiv 2506.20920.
 */
export interface RemovalBin {
  /** Smallest cluster size of the bin. */
  readonly size: number;
  /** r_c, 0–1. */
  readonly removalShare: number;
}

export interface RehydrationOptions {
  readonly maxRepetitions: number;
  /** Bins in the smoothing window, odd. */
  readonly window: number;
}

/** Ascending (first cluster size, repetitions). */
export type RehydrationTable = readonly (readonly [size: number, repetitions: number])[];

const DEFAULTS: RehydrationOptions = { maxRepetitions: 10, window: 5 };

/** `bins` ascending by size; `globalShare` g. */
export function rehydrationTable(
  bins: readonly RemovalBin[],
  globalShare: number,
  { maxRepetitions, window }: RehydrationOptions = DEFAULTS,
): RehydrationTable {
  const best = Math.min(...bins.map(({ removalShare }) => removalShare));
  const raw = bins.map(({ removalShare }) =>
    removalShare >= globalShare ? 1 : 1 + ((maxRepetitions - 1) * (removalShare - globalShare)) / (best - globalShare),
  );
  const reach = (window - 1) / 2;
  const smooth = raw.map((own, i) => {
    if (i < reach || i + reach >= raw.length) return own;
    let sum = 0;
    for (let k = i - reach; k <= i + reach; k++) sum += raw[k]!;
    return sum / window;
  });
  const table: [number, number][] = [];
  for (const [i, { size }] of bins.entries()) {
    const repetitions = Math.round(smooth[i]!);
    if (repetitions !== table.at(-1)?.[1]) table.push([size, repetitions]);
  }
  return table;
}

/** Documents after deduplication and those of them that the filters removed, by cluster size. */
export type RemovalCounts = ReadonlyMap<number, { readonly documents: number; readonly removed: number }>;

/** The share of clusters that is pooled into the last bin. */
const TAIL_SHARE = 0.001;

export function removalBins(counts: RemovalCounts): { bins: RemovalBin[]; globalShare: number } {
  const ascending = [...counts].sort(([a], [b]) => a - b);
  const total = { documents: 0, removed: 0 };
  for (const [, { documents, removed }] of ascending) {
    total.documents += documents;
    total.removed += removed;
  }
  const bins: RemovalBin[] = [];
  const tail = { size: 0, documents: 0, removed: 0 };
  for (const [size, { documents, removed }] of ascending.toReversed()) {
    if (bins.length === 0 && tail.documents + documents <= TAIL_SHARE * total.documents) {
      tail.size = size;
      tail.documents += documents;
      tail.removed += removed;
    } else bins.push({ size, removalShare: removed / documents });
  }
  if (tail.documents > 0) bins.unshift({ size: tail.size, removalShare: tail.removed / tail.documents });
  return { bins: bins.reverse(), globalShare: total.documents === 0 ? 0 : total.removed / total.documents };
}

/** Repetitions of a document of a cluster size: those of the largest first size that is not above it; at least 1. */
export function repetitions(table: RehydrationTable, clusterSize: number): number {
  let found = 1;
  for (const [size, times] of table) {
    if (size > clusterSize) break;
    found = times;
  }
  return found;
}

/** The table that FineWeb2's data card gives for any language. */
export const GENERIC_TABLE: RehydrationTable = [
  [1, 1],
  [2, 2],
  [3, 3],
  [5, 5],
  [100, 8],
  [1000, 1],
];
