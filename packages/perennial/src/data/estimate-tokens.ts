/**
 * How many tokens a corpus has, from a look at a part of it: for a plan, before anything is tokenized.
 *   tokens ≈ bytes on the disk · tokens of the sample / bytes on the disk that the sample was read from
 */
import { type InputFile, readRecords } from "../corpus/formats/index.ts";
import type { BatchTokenizer } from "./tokenizer.ts";

export interface TokenEstimate {
  readonly tokens: number;
  /** Whether the whole corpus was read, so that nothing is estimated. */
  readonly exact: boolean;
}

const SAMPLED_FILES = 8;
const SAMPLED_CHARACTERS_PER_FILE = 500_000;

/** Reads the beginning of up to eight files, spread over the list. */
export async function estimateTokens(
  files: readonly InputFile[],
  tokenizer: BatchTokenizer,
  { textField }: { readonly textField?: string } = {},
): Promise<TokenEstimate> {
  const count = Math.min(files.length, SAMPLED_FILES);
  let [tokens, sampledBytes] = [0, 0];
  let exact = count === files.length;
  for (let i = 0; i < count; i++) {
    const file = files[Math.floor((i * files.length) / count)]!;
    const texts: string[] = [];
    let [characters, bytesRead, whole] = [0, 0, true];
    let bytesOfEnough = Number.POSITIVE_INFINITY;
    const onBytes = (bytes: number) => {
      bytesRead += bytes;
    };
    for await (const { records } of readRecords([file], { onBytes, ...(textField === undefined ? {} : { textField }) })) {
      // Files are read in pieces that hold many batches. Where the next piece begins all of those before it have been counted.
      if (bytesRead > bytesOfEnough) {
        whole = false;
        break;
      }
      for (const record of records) {
        if (!("document" in record)) continue;
        texts.push(record.document.text);
        characters += record.document.text.length;
      }
      if (characters >= SAMPLED_CHARACTERS_PER_FILE) bytesOfEnough = Math.min(bytesOfEnough, bytesRead);
    }
    const around = [tokenizer.prependTokenId, tokenizer.eosTokenId].filter((id) => id !== undefined).length;
    tokens += tokenizer.encodeBatch(texts).ids.length + around * texts.length;
    sampledBytes += whole ? file.sizeBytes : bytesOfEnough;
    exact &&= whole;
  }
  if (exact) return { tokens, exact };
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { tokens: sampledBytes === 0 ? 0 : Math.round((totalBytes / sampledBytes) * tokens), exact };
}
