/**
 * The released code's order (not the paper's): short directed walks, and what is left over tucked in beside its neighbors.
 *    a segment: from an unvisited document to the first unvisited of ranks 1 … 9 in its list, closed at 21 documents or
 *    when there is none; then every segment shorter than 21 is dissolved: each of its documents goes directly before its
 *    best-ranked neighbor in a segment that stays; the rest keep their segments at the end
 *  The code starts at arbitrary documents (here the lowest number) and may fail to place some: our choice is to keep them.
 *  Source: swj0419/in-context-pretraining, as described; its script needs repair before it runs.
 */
import { type NeighborLists, NONE } from "./neighbors.ts";

const RANKS = 9;
const SEGMENT = 21;

export function codePath({ k, ids }: NeighborLists, kept: Uint8Array): Uint32Array {
  const n = kept.length;
  const ranked = function* (document: number): Generator<number> {
    for (let i = document * k; i < document * k + Math.min(k, RANKS) && ids[i] !== NONE; i++) if (kept[ids[i]!] === 1) yield ids[i]!;
  };
  const visited = new Uint8Array(n);
  const segments: number[][] = [];
  for (let start = 0; start < n; start++) {
    if (kept[start] === 0 || visited[start] === 1) continue;
    const segment: number[] = [];
    for (let document: number | undefined = start; document !== undefined && segment.length < SEGMENT; ) {
      segment.push(document);
      visited[document] = 1;
      document = first(ranked(document), (neighbor) => visited[neighbor] === 0);
    }
    segments.push(segment);
  }

  // before[d]: documents put directly before d, in order of arrival. Only documents of whole segments are targets.
  const whole = segments.filter((segment) => segment.length === SEGMENT);
  const stays = new Uint8Array(n);
  for (const document of whole.flat()) stays[document] = 1;
  const before = new Map<number, number[]>();
  const rest: number[] = [];
  for (const document of segments.filter((segment) => segment.length < SEGMENT).flat()) {
    const target = first(ranked(document), (neighbor) => stays[neighbor] === 1);
    if (target === undefined) rest.push(document);
    else before.set(target, [...(before.get(target) ?? []), document]);
  }
  return Uint32Array.from([...whole.flat().flatMap((document) => [...(before.get(document) ?? []), document]), ...rest]);
}

function first(values: Iterable<number>, accept: (value: number) => boolean): number | undefined {
  for (const value of values) if (accept(value)) return value;
  return undefined;
}
