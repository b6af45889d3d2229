/**
 * Connected components in bounded memory, by sorting: alternating large-star and small-star steps (Kiveris, Lattanzi, Mirrokni, Rastogi,
 * Vassilvitskii, "Connected Components in MapReduce and Beyond", SoCC 2014). A node is a document number, an edge is a pair of them.
 *
 *   large-star   u with neighbours Γ(u), m = min(Γ(u) ∪ {u}):   every v ∈ Γ(u), v > u, is linked to m
 *   small-star   u with its smaller neighbours, m the least:    they and u are linked to m
 *
 * Both keep components as they are and never raise a label; when nothing changes any more every component is a star around its least
 * node. Rounds grow with the logarithm of the longest chain. Compared with union–find: no memory per document, the same components,
 * and the kept document is always the oldest, whatever the order of the pairs.
 */
import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFully } from "../durable.ts";
import { RecordSorter, readRecords } from "./records.ts";

export interface ComponentOptions {
  readonly scratch: string;
  readonly memoryBytes: number;
}

/** Writes (node, least node of its component, nodes in it), in order of node, for every node that has an edge. */
export function contractToStars(edgeFiles: readonly string[], output: string, { scratch, memoryBytes }: ComponentOptions) {
  const sorter = () => new RecordSorter({ wordsPerRecord: 2, memoryBytes, scratch });
  const edges = join(scratch, "edges.records");
  const sorted = join(scratch, "sorted.records");

  let oriented = sorter();
  for (const file of edgeFiles) for (const [a, b] of readRecords(file, 2) as Iterable<Edge>) pushOriented(oriented, a, b);
  oriented.finish(edges);

  for (let before = "", now = fingerprint(edges); now !== before; ) {
    before = now;
    const both = sorter();
    for (const [a, b] of readRecords(edges, 2) as Iterable<Edge>) {
      both.push(a, b);
      both.push(b, a);
    }
    both.finish(sorted);
    oriented = sorter();
    for (const { node, neighbor, least } of groups(sorted)) if (neighbor > node) pushOriented(oriented, neighbor, Math.min(least, node));
    oriented.finish(edges);

    oriented = sorter();
    for (const { node, neighbor, least, opens } of groups(edges)) {
      if (opens) pushOriented(oriented, node, least);
      pushOriented(oriented, neighbor, least);
    }
    oriented.finish(sorted);
    renameSync(sorted, edges);
    now = fingerprint(edges);
  }
  const counts = measure(edges, sorted, output, { scratch, memoryBytes });
  for (const path of [edges, sorted]) rmSync(path, { force: true });
  return counts;
}

type Edge = readonly [number, number];

const pushOriented = (sorter: RecordSorter, a: number, b: number): void => {
  if (a > b) sorter.push(a, b);
  else if (b > a) sorter.push(b, a);
};

/** The edges of a sorted file, each with the least neighbour of its node, which is the first of the group. */
function* groups(path: string): Generator<{ node: number; neighbor: number; least: number; opens: boolean }> {
  let current = -1;
  let least = -1;
  for (const [node, neighbor] of readRecords(path, 2) as Iterable<Edge>) {
    const opens = node !== current;
    if (opens) [current, least] = [node, neighbor];
    yield { node, neighbor, least, opens };
  }
}

/** Count and sums that change when any label falls, since labels never rise. */
function fingerprint(path: string): string {
  let count = 0;
  let high = 0;
  let low = 0;
  for (const [a, b] of readRecords(path, 2) as Iterable<Edge>) {
    count++;
    for (const number of [a, b]) {
      high = (high + Math.floor(number / 2 ** 32)) % 2 ** 52;
      low = (low + (number % 2 ** 32)) % 2 ** 52;
    }
  }
  return `${count} ${high} ${low}`;
}

/** Star edges (node → root) become (node, root, size), the root included. */
function measure(stars: string, byRoot: string, output: string, options: ComponentOptions) {
  const { scratch, memoryBytes } = options;
  const turned = new RecordSorter({ wordsPerRecord: 2, memoryBytes, scratch });
  for (const [node, root] of readRecords(stars, 2) as Iterable<Edge>) turned.push(root, node);
  turned.finish(byRoot);

  const sizes = join(scratch, "sizes.records");
  const counts = { clusters: 0, members: 0, largest: 0 };
  const file = openSync(sizes, "w");
  try {
    let root = -1;
    let size = 1;
    const close = () => {
      if (root < 0) return;
      counts.clusters++;
      counts.members += size;
      counts.largest = Math.max(counts.largest, size);
      writeFully(file, new Uint8Array(Float64Array.of(root, size).buffer));
    };
    for (const [next] of readRecords(byRoot, 2) as Iterable<Edge>) {
      if (next !== root) {
        close();
        [root, size] = [next, 1];
      }
      size++;
    }
    close();
  } finally {
    closeSync(file);
  }

  const result = new RecordSorter({ wordsPerRecord: 3, memoryBytes, scratch });
  const members = readRecords(byRoot, 2);
  let member = members.next();
  for (const [root, size] of readRecords(sizes, 2) as Iterable<Edge>) {
    result.push(root, root, size);
    for (; !member.done && member.value[0] === root; member = members.next()) result.push(member.value[1]!, root, size);
  }
  result.finish(output);
  rmSync(sizes);
  return counts;
}
