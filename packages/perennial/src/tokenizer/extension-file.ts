/** Which ids of a tokenizer are new: kept beside tokenizer.json, so that training can tell new rows from old ones. */
import { Reader } from "./reader.ts";

export const EXTENSION_FILE = "vocabulary_extension.json";

export interface Extension {
  /** Ids from here on are new. */
  readonly oldVocabSize: number;
  readonly newVocabSize: number;
}

/** The newest extension of a tokenizer; undefined where it was never extended here. */
export function extensionOf(tokenizer: { file?(name: string): Uint8Array | undefined }): Extension | undefined {
  const bytes = tokenizer.file?.(EXTENSION_FILE);
  if (bytes === undefined) return undefined;
  const fields = new Reader(JSON.parse(Buffer.from(bytes).toString("utf8")), EXTENSION_FILE);
  return { oldVocabSize: fields.count("old_vocab_size"), newVocabSize: fields.count("new_vocab_size") };
}

export const extensionFile = ({ oldVocabSize, newVocabSize }: Extension) => ({
  [EXTENSION_FILE]: { old_vocab_size: oldVocabSize, new_vocab_size: newVocabSize },
});
