/** The verbs of `perennial tokenizer`. A new one is a file in `tokenizer/` and a row here. */
import { type Verb, verb } from "../verb.ts";
import extend from "./tokenizer/extend.ts";
import inspect from "./tokenizer/inspect.ts";
import report from "./tokenizer/report.ts";
import train from "./tokenizer/train.ts";

const inner: readonly (readonly [name: string, summary: string, define: Verb])[] = [
  ["train", "learn a byte-level BPE or a Unigram vocabulary from text", train],
  ["inspect", "what text costs: tokens per word, bytes per token", inspect],
  ["report", "how well a tokenizer fits languages, and what more tokens would cost", report],
  ["extend", "learn tokens for new text behind the old ones; --dry-run shows what that would bring", extend],
];

export const tokenizerVerbs: readonly string[] = inner.map(([name]) => name);

export default verb((command, effects) => {
  for (const [name, summary, define] of inner) define(command.command(name).description(summary), effects);
});
