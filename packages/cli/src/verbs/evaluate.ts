import { resolve } from "node:path";
import { table } from "../text.ts";
import { positiveWholeNumber, verb } from "../verb.ts";

interface Options {
  textField: string;
  sequenceLength: number;
  batchSize: number;
  maxTokens?: number;
  json?: boolean;
}

export default verb((command, effects) => {
  command
    .argument("<model>", "a Hugging Face model folder with its tokenizer")
    .argument("<text...>", "files, folders or globs; name=path gives a row its name")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--sequence-length <tokens>", "window of the model", positiveWholeNumber, 512)
    .option("--batch-size <rows>", "windows computed at once; does not change the numbers", positiveWholeNumber, 8)
    .option("--max-tokens <count>", "stop after so many tokens of each text", positiveWholeNumber)
    .option("--json", "as JSON, with the 95 % intervals")
    .action(async (model: string, texts: string[], options: Options) => {
      const { evaluateFiles, openModel } = await import("perennial/run");
      const opened = await openModel(resolve(effects.cwd, model));
      const rows = [];
      for (const text of texts) {
        const named = /^([\w-]+)=(.+)$/.exec(text);
        const path = resolve(effects.cwd, named?.[2] ?? text);
        rows.push({ corpus: named?.[1] ?? text, ...(await evaluateFiles(opened, path, options)) });
      }
      if (options.json === true) return effects.out(`${JSON.stringify(rows, null, 2)}\n`);
      effects.out(
        `${table(
          ["text", "bits per byte", "95 %", "perplexity", "documents", "tokens"],
          rows.map(({ corpus, bitsPerByte, low, high, loss, documents, targetTokens }) => [
            corpus,
            bitsPerByte.toFixed(3),
            `${low.toFixed(3)} – ${high.toFixed(3)}`,
            Math.exp(loss).toFixed(2),
            String(documents),
            String(targetTokens),
          ]),
          [1, 3, 4, 5],
        )}\n`,
      );
    });
});
