import { resolve } from "node:path";
import { FieldError } from "perennial";
import { table } from "../text.ts";
import { positiveWholeNumber, verb } from "../verb.ts";

interface TrainOptions {
  vocabSize: number;
  output: string;
  textField: string;
}

export default verb((command, effects) => {
  command
    .command("train")
    .description("learn a byte-level BPE from text")
    .argument("<text...>", "files, folders or globs")
    .requiredOption("--vocab-size <count>", "entries, special tokens included", positiveWholeNumber)
    .requiredOption("--output <folder>", "where tokenizer.json goes")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .action(async (texts: string[], options: TrainOptions) => {
      const { trainTokenizer } = await import("perennial/tokenizer");
      const { readTexts } = await import("perennial/run");
      const paths = texts.map((text) => resolve(effects.cwd, text));
      const { tokenizer, words, differentWords } = await trainTokenizer(readTexts(paths, options.textField), {
        vocabSize: options.vocabSize,
      });
      if (words === 0)
        throw new FieldError("TOKENIZER_TEXT", { at: texts.join(", "), expected: "text to learn from", todo: "check --text-field" });
      await tokenizer.save(resolve(effects.cwd, options.output));
      effects.out(`${options.output}: ${tokenizer.vocabSize} tokens from ${words} words, ${differentWords} of them different\n`);
    });
  command
    .command("inspect")
    .description("what text costs: tokens per word, bytes per token")
    .argument("<tokenizer>", "a tokenizer.json or a model folder")
    .argument("<text...>", "files, folders or globs; name=path gives a row its name")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .action(async (path: string, texts: string[], options: { textField: string }) => {
      const { loadTokenizer } = await import("perennial/tokenizer");
      const { inspectTokenizer } = await import("perennial/run");
      const tokenizer = await loadTokenizer(resolve(effects.cwd, path));
      const rows = [];
      for (const text of texts) {
        const named = /^([\w-]+)=(.+)$/.exec(text);
        const costs = await inspectTokenizer(tokenizer, resolve(effects.cwd, named?.[2] ?? text), options.textField);
        rows.push([
          named?.[1] ?? text,
          costs.tokensPerWord.toFixed(2),
          costs.bytesPerToken.toFixed(2),
          String(costs.tokens),
          String(costs.bytes),
        ]);
      }
      effects.out(`${table(["text", "tokens per word", "bytes per token", "tokens", "bytes"], rows, [1, 2, 3, 4])}\n`);
    });
});
