/**
 * Where a context ends and its continuation begins, in text and in tokens. Both are tokenized together, because cutting at the border
 * changes the tokens there: continuation ids = ids(context + continuation) without the first |ids(context)|. The model reads ids(context)
 * before them, as lm-evaluation-harness does; where a token would cross the border, the two are not what the whole text is cut into.
 */
import { trimEnd } from "../text/whitespace.ts";

/** Moves trailing whitespace of the context to the front of the continuation. */
export function moveTrailingWhitespace(context: string, continuation: string): [context: string, continuation: string] {
  const kept = trimEnd(context);
  return [kept, context.slice(kept.length) + continuation];
}

export interface ContinuationTokens {
  readonly contextIds: readonly number[];
  readonly continuationIds: readonly number[];
}

/** `prefixId` (begin of text, else end of text) is the context of an empty context, unless the continuation begins with it already. */
export function continuationTokens(
  context: string,
  continuation: string,
  encode: (text: string) => readonly number[],
  prefixId: number,
): ContinuationTokens {
  if (context === "") {
    const ids = encode(continuation);
    return ids[0] === prefixId
      ? { contextIds: [prefixId], continuationIds: ids.slice(1) }
      : { contextIds: [prefixId], continuationIds: ids };
  }
  const [before, after] = moveTrailingWhitespace(context, continuation);
  const contextIds = encode(before);
  return { contextIds, continuationIds: encode(before + after).slice(contextIds.length) };
}

/** Input and targets that fit the model: the last `maxTokens + 1` ids, all but the last of them fed. Left ids are dropped, never right ones. */
export function fitContinuation(
  { contextIds, continuationIds }: ContinuationTokens,
  maxTokens: number,
): { inputIds: number[]; targetIds: number[] } {
  const ids = [...contextIds, ...continuationIds].slice(-(maxTokens + 1));
  return { inputIds: ids.slice(0, -1), targetIds: ids.slice(-Math.min(continuationIds.length, ids.length - 1)) };
}
