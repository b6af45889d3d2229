import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { nonNegativeNumber, positiveWholeNumber, shareNumber, verb, wholeNumber } from "../verb.ts";

interface Options {
  prompt?: string;
  maxNewTokens: number;
  temperature: number;
  topK?: number;
  topP?: number;
  seed: number;
}

export default verb((command, effects) => {
  command
    .argument("<model>", "a Hugging Face model folder with its tokenizer")
    .option("--prompt <text>", "what is continued (default: standard input)")
    .option("--max-new-tokens <count>", "length of the continuation", wholeNumber, 80)
    .option("--temperature <t>", "0 is greedy", nonNegativeNumber, 0.7)
    .option("--top-k <k>", "only the k likeliest tokens", positiveWholeNumber)
    .option("--top-p <p>", "only the likeliest tokens that together have this probability", shareNumber)
    .option("--seed <n>", "of the random numbers", wholeNumber, 0)
    .action(async (model: string, options: Options) => {
      const { openModel } = await import("perennial/run");
      const { generate } = await import("perennial/model");
      const { stream } = await import("perennial");
      const { DecodeStream } = await import("perennial/tokenizer");
      const opened = await openModel(resolve(effects.cwd, model));
      const prompt = options.prompt ?? readFileSync(0, "utf8");
      const decoder = new DecodeStream(opened.tokenizer, { skipSpecialTokens: true });
      effects.out(prompt);
      generate(opened.model, [opened.promptIds(prompt)], {
        maxNewTokens: options.maxNewTokens,
        temperature: options.temperature,
        ...(options.topK === undefined ? {} : { topK: options.topK }),
        ...(options.topP === undefined ? {} : { topP: options.topP }),
        endIds: opened.tokenizer.endIds,
        stream: stream(options.seed, "generate"),
        onToken: (_, id) => effects.out(decoder.push(id)),
      });
      effects.out(`${decoder.end()}\n`);
    });
});
