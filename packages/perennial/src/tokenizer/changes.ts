/** What an extension changes on old texts: how many, how much, and where. */
import { charactersToBytes } from "./byte-characters.ts";
import type { JsonTokenizer } from "./json-tokenizer.ts";
import type { Text } from "./native.ts";

export interface Changes {
  readonly texts: number;
  readonly changedTexts: number;
  readonly oldTokens: number;
  readonly newTokens: number;
  /** Share of the old tokens that are no longer there, 0–1. */
  readonly changedTokens: number;
  /** The first few places, different ones. */
  readonly examples: readonly ChangeExample[];
}

/** One piece of text before and after; `▁` is a blank. */
export interface ChangeExample {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const EXAMPLES = 8;
const PLAIN = { addSpecialTokens: false } as const;

export function compareTokenizers(old: JsonTokenizer, extended: JsonTokenizer, texts: Iterable<Text>): Changes {
  const sum = { texts: 0, changedTexts: 0, oldTokens: 0, newTokens: 0, kept: 0 };
  const examples = new Map<string, ChangeExample>();
  for (const text of texts) {
    const [before, after] = [old.encode(text, PLAIN), extended.encode(text, PLAIN)];
    sum.texts++;
    sum.oldTokens += before.length;
    sum.newTokens += after.length;
    if (Buffer.compare(Buffer.from(before.buffer), Buffer.from(after.buffer)) !== 0) {
      sum.changedTexts++;
      if (examples.size < EXAMPLES) {
        const example = firstChange(extended, before, after);
        examples.set(example.after.join(""), example);
      }
    }
    for (const id of after) if (id < old.vocabSize) sum.kept++;
  }
  const { kept, ...counts } = sum;
  return { ...counts, changedTokens: sum.oldTokens === 0 ? 0 : 1 - kept / sum.oldTokens, examples: [...examples.values()] };
}

/** From the first id that differs to where both have written the same text again. */
function firstChange(extended: JsonTokenizer, before: Int32Array, after: Int32Array): ChangeExample {
  let start = 0;
  while (before[start] === after[start] && start < before.length) start++;
  const name = (id: number) => extended.idToToken(id) ?? "";
  let [i, j, left, right] = [start, start, 0, 0];
  do {
    if (left <= right && i < before.length) left += name(before[i++]!).length;
    else if (j < after.length) right += name(after[j++]!).length;
    else break;
  } while (left !== right);
  const shown = (ids: Int32Array) => Array.from(ids, (id) => readable(extended, name(id)));
  return { before: shown(before.subarray(start, i)), after: shown(after.subarray(start, j)) };
}

/** A token as text, with `▁` for a blank; part of a character is U+FFFD. */
export function readable({ description: { model } }: JsonTokenizer, token: string): string {
  const bytes = model.type === "bpe" && model.byteLevel ? charactersToBytes(token) : undefined;
  return (bytes === undefined ? token : Buffer.from(bytes).toString("utf8")).replaceAll(" ", "▁");
}
