import { resolve } from "node:path";
import { formatCount } from "perennial/recipe";
import { Progress, progressMode } from "../progress.ts";
import { byteCount, positiveWholeNumber, verb } from "../verb.ts";

interface Options {
  reference: string[];
  output: string;
  bytes: number;
  order: number;
  unit: string;
  minWords: number;
  textField: string;
  quiet?: boolean;
  json?: boolean;
}

const SHOWN_EVERY = 1000;

export default verb((command, effects) => {
  command
    .argument("<pool...>", "files, folders or globs of text to choose from")
    .requiredOption("--reference <text...>", "a small text of the domain, well chosen: files, folders or globs")
    .requiredOption("--output <file>", "where the chosen documents go: .jsonl, .jsonl.gz or .jsonl.zst")
    .requiredOption("--bytes <size>", "how much text to choose, e.g. 500M", byteCount)
    .option("--order <words>", "longest n-gram", positiveWholeNumber, 5)
    .option("--unit <unit>", "word, or byte for small references and any script", "word")
    .option("--min-words <count>", "shorter documents are no candidates; in the unit", positiveWholeNumber, 50)
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--quiet", "only the result")
    .option("--json", "the result as JSON")
    .addHelpText(
      "after",
      `
Chosen are the documents that an n-gram model of the reference (modified Kneser-Ney) finds least surprising, per word.
Deduplicate the pool first: what is repeated is easy to predict.

Examples:
  perennial select crawl/ --reference medicine.jsonl --bytes 500M --output best.jsonl.zst
  perennial select pool.jsonl.gz --reference kabyle.txt --unit byte --bytes 2M --output best.jsonl`,
    )
    .action(async (pool: string[], options: Options) => {
      const { FieldError } = await import("perennial");
      const { selectFiles } = await import("perennial/mixture");
      const { unit } = options;
      if (unit !== "word" && unit !== "byte")
        throw new FieldError("SELECT_UNIT", { at: "--unit", expected: "word or byte", received: unit });
      const mode = options.json === true ? "lines" : progressMode({ quiet: options.quiet === true }, effects.isTTY);
      const progress = new Progress(mode, effects);
      const places = (paths: readonly string[]) => paths.map((path) => resolve(effects.cwd, path));
      const result = await selectFiles({
        ...{ order: options.order, unit, bytes: options.bytes, minWords: options.minWords, textField: options.textField },
        pool: places(pool),
        reference: places(options.reference),
        output: resolve(effects.cwd, options.output),
        onProgress: ({ stage, documents }) => {
          if (documents % SHOWN_EVERY === 0) progress.note(`${stage}: ${documents} documents`);
        },
      });
      if (options.json === true) return effects.out(`${JSON.stringify(result, null, 2)}\n`);
      const { documents, bytes, poolDocuments, poolBytes, best, worst, poolMedian } = result;
      effects.out(
        `chose ${documents} of ${poolDocuments} documents, ${formatCount(bytes)} of ${formatCount(poolBytes)} bytes: ` +
          `perplexity ${best.toFixed(1)} to ${worst.toFixed(1)}, median of the pool ${poolMedian.toFixed(1)}\n`,
      );
    });
});
