/**
 * Characters of the new text that an old vocabulary of characters can only write as bytes or unknown tokens. They become tokens
 * first, the most frequent ones until `coverage` of all characters are covered, because pieces are built from them.
 */
import type { JsonTokenizer } from "./json-tokenizer.ts";
import { type TrainerHandle, tokenizerAddon } from "./native.ts";

export interface MissingCharacter {
  readonly character: string;
  readonly count: number;
}

export function missingCharacters(
  old: JsonTokenizer,
  trainer: TrainerHandle,
  options: { readonly coverage: number; readonly minFrequency: number; readonly keepOld: boolean; readonly inertIds: Int32Array },
): MissingCharacter[] {
  const { codePoints, counts, isProtected } = tokenizerAddon().trainerCharacters(trainer);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const inert = new Set(options.inertIds);
  const missing: MissingCharacter[] = [];
  let seen = 0;
  for (const [i, codePoint] of codePoints.entries()) {
    const count = counts[i]!;
    if (seen >= options.coverage * total || count < options.minFrequency) break; // the most frequent come first
    seen += count;
    if (options.keepOld && isProtected[i] === 1) continue;
    const character = String.fromCodePoint(codePoint);
    const ids = old.encodePiece(character);
    if (ids.length !== 1 || inert.has(ids[0]!)) missing.push({ character, count });
  }
  return missing;
}
