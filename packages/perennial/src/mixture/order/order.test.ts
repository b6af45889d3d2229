import { numThreads, setNumThreads } from "@perennial/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { clusterOrder, knnOrder } from "./baselines.ts";
import { codePath } from "./code-path.ts";
import { withoutAdjacentCopies, withoutCopiesOf, withoutNearCopies } from "./copies.ts";
import { graphOf, graphOfEdges } from "./graph.ts";
import { approximateNeighbors, exactNeighbors, NONE } from "./neighbors.ts";
import { greedyPath } from "./path.ts";
import { relatedOrder, windowDiagnostics } from "./related-order.ts";
import { quantizedVectors, tfidfVectors, vectorCosine } from "./vectors.ts";
import { cutWindows } from "./windows.ts";

const all = (n: number) => new Uint8Array(n).fill(1);

test("the worked example: path [6, 4, 1, 0, 2, 3, 5], weight 2.8, one join", () => {
  const graph = graphOfEdges(7, [
    [0, 1, 0.9],
    [1, 2, 0.8],
    [0, 2, 0.3],
    [2, 3, 0.5],
    [1, 4, 0.4],
    [3, 5, 0.7],
  ]);
  const path = greedyPath(graph, all(7), "lowest");
  expect([...path.order]).toEqual([6, 4, 1, 0, 2, 3, 5]);
  expect(path.weight).toBeCloseTo(2.8, 6);
  expect(path.joins).toBe(1);
});

test("edges to itself, given twice or outside are refused", () => {
  expect(() => graphOfEdges(3, [[1, 1, 0.5]])).toThrow(/edges\[0\]: expected two different documents/);
  expect(() =>
    graphOfEdges(3, [
      [0, 1, 0.5],
      [1, 0, 0.5],
    ]),
  ).toThrow(/edges\[1\]: expected every edge once/);
  expect(() => graphOfEdges(3, [[0, 3, 0.5]])).toThrow(/from 0 to 2/);
});

const edgesOf = (n: number) =>
  fc.uniqueArray(fc.tuple(fc.nat(n - 1), fc.nat(n - 1), fc.double({ min: 0.01, max: 1, noNaN: true })), {
    selector: ([a, b]) => (a < b ? `${a} ${b}` : `${b} ${a}`),
    maxLength: 3 * n,
  });

test("a path is a permutation, and in a complete graph it has no joins", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }).chain((n) => fc.tuple(fc.constant(n), edgesOf(n), fc.nat())),
      ([n, edges, seed]) => {
        const path = greedyPath(
          graphOfEdges(
            n,
            edges.filter(([a, b]) => a !== b),
          ),
          all(n),
          { seed },
        );
        expect([...path.order].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
        const complete = Array.from({ length: n }, (_, a) =>
          Array.from({ length: a }, (_, b) => [a, b, 0.1 + ((a * 7 + b * 3) % 11) / 20] as const),
        ).flat();
        expect(greedyPath(graphOfEdges(n, complete), all(n), { seed }).joins).toBe(0);
      },
    ),
    { seed: 5 },
  );
});

/** Texts about `topics` subjects: words of their own, and common ones. */
function texts(n: number, topics: number, seed = 1): string[] {
  const random = stream(seed, "texts");
  const words = new Map<number, string>();
  const word = (salt: number) => {
    const letters = stream(salt, "word");
    if (!words.has(salt)) words.set(salt, Array.from({ length: 6 }, () => String.fromCharCode(97 + letters.integer(26))).join(""));
    return words.get(salt)!;
  };
  return Array.from({ length: n }, (_, d) =>
    Array.from({ length: 30 }, (_, i) =>
      i % 3 === 0 ? word(1e6 + random.integer(40)) : word((d % topics) * 1000 + random.integer(25)),
    ).join(" "),
  );
}

test("vectors: equal texts are equal, related ones near, unrelated ones far, empty ones zero", () => {
  const documents = [...texts(6, 3), "", texts(6, 3)[0]!];
  const vectors = tfidfVectors(documents);
  expect(vectorCosine(vectors, 0, 7)).toBeCloseTo(1, 12);
  expect(vectorCosine(vectors, 0, 3)).toBeGreaterThan(vectorCosine(vectors, 0, 1) + 0.1);
  expect(vectorCosine(vectors, 0, 6)).toBe(0);
  expect(vectors.data.subarray(6 * 256, 7 * 256).every((value) => value === 0)).toBe(true);
  expect(() => quantizedVectors(Float32Array.of(1, Number.NaN), 2)).toThrow(/document 0: expected finite/);
  expect([...quantizedVectors(Float32Array.of(3, -1.5, 0, 0), 2).data]).toEqual([127, -63, 0, 0]);
});

test("projected cosines stay near those of the full TF-IDF vectors", () => {
  const documents = texts(40, 4);
  const narrow = tfidfVectors(documents, { dimensions: 256 });
  const wide = tfidfVectors(documents, { dimensions: 16_384 });
  let error = 0;
  for (let a = 0; a < 40; a++) for (let b = 0; b < a; b++) error += Math.abs(vectorCosine(narrow, a, b) - vectorCosine(wide, a, b));
  expect(error / 780).toBeLessThan(0.06);
});

test("exact neighbors equal brute force; approximate ones nearly all of them; no document is its own", () => {
  // One document more than a block asks for.
  const n = 4097;
  const vectors = tfidfVectors(texts(n, 160), { dimensions: 128 });
  const k = 10;
  const exact = exactNeighbors(vectors, k);
  const approximate = approximateNeighbors()(vectors, k);
  let common = 0;
  for (let d = 0; d < n; d++) {
    const list = [...exact.ids.subarray(d * k, (d + 1) * k)];
    expect(list).not.toContain(d);
    common += [...approximate.ids.subarray(d * k, (d + 1) * k)].filter((id) => list.includes(id)).length;
    if (d % 200 > 0) continue;
    const similarities = Float64Array.from({ length: n }, (_, other) => (other === d ? -1 : vectorCosine(vectors, d, other)))
      .sort()
      .reverse();
    for (let i = 0; i < k; i++) {
      expect(exact.similarities[d * k + i]).toBeCloseTo(similarities[i]!, 4);
      expect(vectorCosine(vectors, d, list[i]!)).toBeCloseTo(similarities[i]!, 4);
    }
  }
  expect(common / (n * k)).toBeGreaterThan(0.95);
  const threads = numThreads();
  setNumThreads(threads === 1 ? 2 : 1);
  expect(approximateNeighbors()(vectors, k)).toEqual(approximate);
  setNumThreads(threads);
});

test("one document, and none, have an order too", () => {
  expect([...relatedOrder(tfidfVectors(["alone"])).order]).toEqual([0]);
  expect([...relatedOrder(tfidfVectors([]), { search: "approximate" }).order]).toEqual([]);
});

test("the graph has the reverse edges, each once, by falling weight", () => {
  const lists = { k: 2, ids: Uint32Array.of(1, 2, 0, NONE, 1, NONE), similarities: Float32Array.of(0.9, 0.5, 0.9, 0, 0.6, 0) };
  const { offsets, neighbors } = graphOf(lists, all(3));
  expect([...offsets]).toEqual([0, 2, 4, 6]);
  expect([...neighbors]).toEqual([1, 2, 0, 2, 1, 0]);
  expect([...graphOf(lists, Uint8Array.of(1, 0, 1)).neighbors]).toEqual([2, 0]);
});

test("near copies go in order of number, whichever of the two lists the other", () => {
  const lists = { k: 1, ids: Uint32Array.of(NONE, 0, 3, NONE, 1), similarities: Float32Array.of(0, 0.99, 0.99, 0, 0.99) };
  // 1 copies 0; 3 is listed by 2 only; 4 is near 1, which is gone, so 4 stays.
  expect(withoutNearCopies(lists, 0.95)).toEqual({ kept: Uint8Array.of(1, 0, 1, 0, 1), removed: 2 });
});

test("near copies of held-out documents leave the training side", () => {
  const documents = texts(1100, 20);
  const leaked = [...documents, documents[3]!, `${documents[50]!} z`];
  const all = tfidfVectors(leaked);
  const part = (from: number, to: number) => ({ dimensions: 256, data: all.data.subarray(from * 256, to * 256) });
  const { kept, removed } = withoutCopiesOf(part(0, 60), part(60, leaked.length), 0.95);
  expect(removed).toBe(2);
  expect([...kept.slice(-2)]).toEqual([0, 0]);
  expect(withoutCopiesOf(part(0, 60), part(60, leaked.length), 0.95, "approximate").kept).toEqual(kept);
  expect(withoutCopiesOf(part(0, 0), part(60, 70), 0.95).removed).toBe(0);
});

test("the released code's rule sees only the head of the document written before", () => {
  const head = `${"x".repeat(60)}the same header on every page of this site`;
  const documents = [`${head} one`, `${head} two`, "something else entirely", `${head} three`];
  expect([...withoutAdjacentCopies(Uint32Array.of(0, 1, 2, 3), (d) => documents[d]!)]).toEqual([0, 2, 3]);
});

test("orders 2,000 documents by subject, drops planted copies, and is repeatable", () => {
  const documents = texts(2000, 100);
  const planted = [...documents, ...documents.slice(0, 150), ...documents.slice(150, 200).map((text) => `${text} z`)];
  const vectors = tfidfVectors(planted);
  const result = relatedOrder(vectors);
  expect(result.exactCopies).toBe(150);
  expect(result.nearCopies).toBeGreaterThanOrEqual(45);
  expect(result.order.length).toBe(planted.length - result.exactCopies - result.nearCopies);
  expect(new Set(result.order).size).toBe(result.order.length);
  const shuffled = stream(1, "random").shuffle([...result.order]);
  let random = 0;
  for (let i = 1; i < shuffled.length; i++) random += vectorCosine(vectors, shuffled[i - 1]!, shuffled[i]!) / (shuffled.length - 1);
  expect(result.adjacentSimilarity).toBeGreaterThan(3 * Math.abs(random));
  expect(result.unrelatedJoins).toBeLessThan(0.2);
  const sameSubject = result.order.slice(1).filter((d, i) => d < 2000 && d % 100 === result.order[i]! % 100).length;
  expect(sameSubject / result.order.length).toBeGreaterThan(0.8);
  expect(relatedOrder(vectors)).toEqual(result);

  const kept = relatedOrder(vectors, { nearCopyCosine: "keep" });
  expect(kept.order.length).toBe(planted.length);
  expect(kept.warnings.join(" ")).toMatch(/150 documents are copies/);
});

test("more copies of one document than neighbors leave nobody without neighbors; near copies that do are counted", () => {
  const documents = [...texts(60, 6), ...Array<string>(50).fill(texts(60, 6)[0]!)];
  const exact = relatedOrder(tfidfVectors(documents), { neighbors: 5 });
  expect(exact).toMatchObject({ exactCopies: 50, starved: 0 });
  const near = [...texts(60, 6), ...Array.from({ length: 50 }, (_, i) => `${texts(60, 6)[0]!} ${"q".repeat(1 + (i % 5))}${i}`)];
  const starving = relatedOrder(tfidfVectors(near), { neighbors: 5, nearCopyCosine: 0.8 });
  expect(starving.starved).toBeGreaterThan(0);
  expect(starving.warnings.join(" ")).toMatch(/only copies as their neighbors/);
});

test("20,000 documents through inverted lists", () => {
  const random = stream(1, "clusters");
  const [n, dimensions, clusters] = [20_000, 16, 1000];
  const centers = Float32Array.from({ length: clusters * dimensions }, () => random.uniform() - 0.5);
  const vectors = quantizedVectors(
    Float32Array.from({ length: n * dimensions }, (_, i) => {
      const cluster = Math.floor(i / dimensions) % clusters;
      return centers[cluster * dimensions + (i % dimensions)]! + 0.3 * (random.uniform() - 0.5);
    }),
    dimensions,
  );
  const result = relatedOrder(vectors, { neighbors: 8, nearCopyCosine: 0.999, search: "approximate" });
  expect(new Set(result.order).size).toBe(n - result.exactCopies - result.nearCopies);
  expect(result.unrelatedJoins).toBeLessThan(0.2);
  expect(result.adjacentSimilarity).toBeGreaterThan(0.8);
});

test("the released code's variant: segments of 21, leftovers beside their neighbors, nothing lost", () => {
  const vectors = tfidfVectors(texts(500, 10));
  const lists = exactNeighbors(vectors, 20);
  const order = codePath(lists, all(500));
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(500).keys()]);
  expect(relatedOrder(vectors, { variant: "code", nearCopyCosine: "keep" }).order).toEqual(order);
});

test("baselines: knn repeats documents, clusters keep subjects together", () => {
  const vectors = tfidfVectors(texts(300, 6));
  const lists = exactNeighbors(vectors, 4);
  const knn = [...knnOrder(lists, 1)];
  expect(knn).toHaveLength(300 * 5);
  expect(new Set(knn).size).toBe(300);
  const clusters = clusterOrder(vectors, 6, 1);
  expect([...clusters].sort((a, b) => a - b)).toEqual([...Array(300).keys()]);
  expect(clusters.slice(1).filter((d, i) => d % 6 === clusters[i]! % 6).length).toBeGreaterThan(200);
});

test("packing: 5, 30 and 30 tokens, context 16, minimum 20: 3 blocks, 12 dropped", () => {
  const windows = cutWindows([0, 1, 2], (d) => [5, 30, 30][d]!, { windowTokens: 16, shuffleSeed: null, minTokens: 20 });
  expect(windows).toMatchObject({ count: 3, droppedTokens: 12, shortDocuments: 1 });
  expect([...windows.documents]).toEqual([1, 1, 2, 2]);
  expect([...windows.starts]).toEqual([0, 16, 0, 2]);
  expect([...windows.ends]).toEqual([16, 30, 2, 18]);
});

test("windows and dropped tail hold every token once; shuffling moves windows, never documents inside them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      (lengths, windowTokens, seed) => {
        const order = [...lengths.keys()].reverse();
        const cut = (shuffleSeed: number | null) => cutWindows(order, (d) => lengths[d]!, { windowTokens, shuffleSeed });
        const content = (w: ReturnType<typeof cut>) =>
          Array.from({ length: w.count }, (_, i) =>
            Array.from({ length: w.offsets[i + 1]! - w.offsets[i]! }, (_, s) =>
              [w.documents, w.starts, w.ends].map((a) => a[w.offsets[i]! + s]),
            ).join(" "),
          );
        const plain = cut(null);
        expect(plain.count * windowTokens + plain.droppedTokens).toBe(lengths.reduce((sum, length) => sum + length, 0));
        expect(content(cut(seed)).sort()).toEqual(content(plain).sort());
      },
    ),
    { seed: 2 },
  );
});

test("windows along the path are more alike inside than windows of random order", () => {
  const vectors = tfidfVectors(texts(400, 20));
  const inside = (order: Iterable<number>) =>
    windowDiagnostics(
      vectors,
      cutWindows(order, () => 10, { windowTokens: 40, shuffleSeed: 1 }),
    );
  const related = inside(relatedOrder(vectors).order);
  const random = inside(stream(1, "r").shuffle([...Array(400).keys()]));
  expect(related.documentsPerWindow).toBe(4);
  expect(related.pairwiseSimilarity).toBeGreaterThan(2 * random.pairwiseSimilarity);
});
