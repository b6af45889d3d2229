import { resolve } from "node:path";
import { table } from "../../text.ts";
import { verb } from "../../verb.ts";
import { namedTexts } from "./texts.ts";

export default verb((command, effects) => {
  command
    .argument("<tokenizer>", "a tokenizer.json or a model folder")
    .argument("<text...>", "files, folders or globs; name=path gives a row its name")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .action(async (path: string, texts: string[], options: { textField: string }) => {
      const { loadTokenizer } = await import("perennial/tokenizer");
      const { inspectTokenizer } = await import("perennial/run");
      const tokenizer = await loadTokenizer(resolve(effects.cwd, path));
      const rows = [];
      for (const { name, path } of namedTexts(texts, effects.cwd)) {
        const costs = await inspectTokenizer(tokenizer, path, options.textField);
        rows.push([name, costs.tokensPerWord.toFixed(2), costs.bytesPerToken.toFixed(2), String(costs.tokens), String(costs.bytes)]);
      }
      effects.out(`${table(["text", "tokens per word", "bytes per token", "tokens", "bytes"], rows, [1, 2, 3, 4])}\n`);
    });
});
