/**
 * SentencePiece's pieces with scores ↔ merges. It joins the two neighbors whose concatenation is the piece with the highest score,
 * the leftmost where two are equal, until no neighbors make a piece: which is merging by rank when every way of cutting a
 * piece into two pieces is a merge, ranked by the piece's score.
 */

type Merge = readonly [left: string, right: string];

/** All ways of cutting a piece into two pieces. Pieces are cut between code points. */
function* cuts(piece: string, ids: ReadonlyMap<string, number>): Iterable<Merge> {
  for (let at = 1; at < piece.length; at++) {
    const code = piece.charCodeAt(at);
    if (code >= 0xdc00 && code <= 0xdfff) continue;
    const [left, right] = [piece.slice(0, at), piece.slice(at)];
    if (ids.has(left) && ids.has(right)) yield [left, right];
  }
}

/** Merges in the order of the scores of what they make. */
export function mergesOf(ids: ReadonlyMap<string, number>, scores: readonly number[]): Merge[] {
  const pieces = [...ids].sort(([, a], [, b]) => scores[b]! - scores[a]! || a - b);
  return pieces.flatMap(([piece]) =>
    [...cuts(piece, ids)].sort((a, b) => ids.get(a[0])! - ids.get(b[0])! || ids.get(a[1])! - ids.get(b[1])!),
  );
}

/**
 * Scores that order the pieces as the merges do: minus the rank of the first merge that makes a piece; pieces that none makes come
 * last. `missing`: a cut of a piece that is no merge, which these scores would join all the same.
 */
export function scoresOf(ids: ReadonlyMap<string, number>, merges: readonly Merge[]): { scores: Float32Array; missing: Merge | undefined } {
  const rank = new Map<string, number>();
  const known = new Set<string>();
  for (const [left, right] of merges) {
    if (!rank.has(left + right)) rank.set(left + right, rank.size);
    known.add(`${left}\0${right}`);
  }
  const scores = new Float32Array(ids.size);
  let missing: Merge | undefined;
  for (const [piece, id] of ids) {
    scores[id] = -(rank.get(piece) ?? rank.size);
    for (const cut of rank.has(piece) ? cuts(piece, ids) : []) if (!known.has(`${cut[0]}\0${cut[1]}`)) missing ??= cut;
  }
  return { scores, missing };
}
