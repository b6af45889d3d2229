/** What all trainers of vocabularies share: how text reaches the native trainer, and how a tokenizer comes of what it learns. */
import { formatJson, JsonTokenizer } from "./json-tokenizer.ts";
import { type Text, type TrainerHandle, tokenizerAddon } from "./native.ts";

/** Texts are handed over in portions of this size. */
const FEED_BYTES = 16 << 20;
export const MAX_WORDS = 20_000_000;

/** Gives texts to a native trainer in portions, so that the iterable is read no further than needed. */
export async function feed(
  trainer: TrainerHandle,
  texts: AsyncIterable<Text> | Iterable<Text>,
  threads: number,
  isProtected: boolean,
): Promise<void> {
  let portion: Text[] = [];
  let bytes = 0;
  let running: Promise<void> = Promise.resolve();
  const flush = async () => {
    const full = portion;
    portion = [];
    bytes = 0;
    await running;
    running = tokenizerAddon().trainerFeed(trainer, full, threads, isProtected);
    running.catch(() => {}); // seen at the next await
  };
  for await (const text of texts) {
    portion.push(text);
    bytes += text.length;
    if (bytes >= FEED_BYTES) await flush();
  }
  await flush();
  await running;
}

/** Part i is array[ends[i-1], ends[i]). */
export function splitAt<Array extends { subarray(from: number, to: number): Array }>(array: Array, ends: Uint32Array): Array[] {
  return [...ends].map((end, i) => array.subarray(i === 0 ? 0 : ends[i - 1]!, end));
}

/** `endOfText`: the token that ends documents and begins generation, told to other tools by tokenizer_config.json. */
export function tokenizerOf(json: object, endOfText?: string): JsonTokenizer {
  const files = new Map([["tokenizer.json", formatJson(json)]]);
  if (endOfText === undefined) return new JsonTokenizer(files);
  files.set(
    "tokenizer_config.json",
    formatJson({ tokenizer_class: "PreTrainedTokenizerFast", bos_token: endOfText, eos_token: endOfText }),
  );
  return new JsonTokenizer(files, { bos: endOfText, eos: endOfText });
}

/** Special tokens as `added_tokens` of a tokenizer.json: the first ids, in their order. */
export const specialTokensJson = (specialTokens: readonly string[]) =>
  [...new Set(specialTokens)].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
