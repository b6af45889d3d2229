import type { Tokenizer } from "./tokenizer.ts";

/** The ids of a text that a model is to continue: behind the token that documents start with (or end with, where none starts them), and open at the end. */
export function promptIds(tokenizer: Tokenizer, prompt: string): number[] {
  const ids = [...tokenizer.encode(prompt, { addSpecialTokens: false })];
  const start = tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos;
  return start === undefined || ids[0] === start ? ids : [start, ...ids];
}
