/**
 * Orders of a sequence of domains. Similar order: inside each part, greedily to the nearest domain not yet visited, starting from the origin
 * (the text of the pre-training); part after part; ties by name. Random order: one seeded permutation.
 * Nearness is the cosine of the domains' vectors, whatever made them (`tfidfVectors` of their text, mean hidden states of a model …).
 * Source: arXiv 2402.17400; where it leaves the rule open: specification `domain-sequence-cpt`.
 */
import { FieldError } from "../errors.ts";
import { stream } from "../stream.ts";

export interface Domain {
  readonly name: string;
  readonly vector: ArrayLike<number>;
}

/** Names in similar order. `parts`: groups of domains, visited one group after the other. */
export function similarOrder(origin: ArrayLike<number>, parts: readonly (readonly Domain[])[]): string[] {
  let here = origin;
  return parts.flatMap((part) => {
    const left = [...part].sort((a, b) => (a.name < b.name ? -1 : 1));
    return part.map(() => {
      let best = 0;
      for (let i = 1; i < left.length; i++) if (cosine(here, left[i]!.vector) > cosine(here, left[best]!.vector)) best = i;
      const [next] = left.splice(best, 1);
      here = next!.vector;
      return next!.name;
    });
  });
}

export const randomOrder = (names: readonly string[], seed: number): string[] => stream(seed, "domain order").shuffle([...names]);

/** 0 where a vector is all zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new FieldError("DOMAIN_VECTORS", { at: "vector", expected: `${a.length} numbers`, received: b.length });
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squareA += a[i]! ** 2;
    squareB += b[i]! ** 2;
  }
  return squareA === 0 || squareB === 0 ? 0 : product / Math.sqrt(squareA * squareB);
}
