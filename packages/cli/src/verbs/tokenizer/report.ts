import { resolve } from "node:path";
import { FieldError } from "perennial";
import type { Fertility, JsonTokenizer } from "perennial/tokenizer";
import { table } from "../../text.ts";
import { byteCount, verb } from "../../verb.ts";
import { addedParameters, rowCost } from "./parameters.ts";
import { countTexts, type NamedText, namedTexts } from "./texts.ts";

interface Options {
  against?: string;
  model?: string;
  sample: number;
  textField: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial tokenizer report models/base en=data/english.jsonl eu=data/basque.jsonl
  perennial tokenizer report models/base en=data/english.jsonl eu=data/basque.jsonl --against models/basque-tokenizer --model models/base

A name that is a language tag (en, eu, zh-Hans) decides what a word is. Parity compares with the first text: tokens over tokens,
which means something where all texts say the same; per byte, where they do not. Unknown and byte tokens: shares of all tokens.`;

interface Row extends Fertility {
  readonly text: string;
  readonly tokenizer: string;
  readonly tokensPerByte: number;
  readonly parity: number;
  readonly parityPerByte: number;
}

const MORE_ROWS = [1000, 2000, 4000, 8000] as const;

export default verb((command, effects) => {
  command
    .argument("<tokenizer>", "a tokenizer.json or a model folder")
    .argument("<text...>", "files, folders or globs; name=path gives a row its name")
    .option("--against <tokenizer>", "another tokenizer, on the same text")
    .option("--model <folder>", "tell what more tokens cost this model (default: the tokenizer's folder, where it is a model's)")
    .option("--sample <bytes>", "read so much of each text; k, M and G are powers of 1000", byteCount, 10e6)
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--json", "the figures as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, texts: string[], options: Options) => {
      const { loadTokenizer } = await import("perennial/tokenizer");
      const source = resolve(effects.cwd, path);
      const names = [path, ...(options.against === undefined ? [] : [options.against])];
      const tokenizers = await Promise.all(names.map((name) => loadTokenizer(resolve(effects.cwd, name))));
      const cost = await rowCost(options.model === undefined ? undefined : resolve(effects.cwd, options.model), source);
      const measured: { name: string; results: Fertility[] }[] = [];
      for (const text of namedTexts(texts, effects.cwd)) measured.push({ name: text.name, results: await measure(text, tokenizers) });
      const rows = measured.flatMap(({ name, results }) =>
        results.map((result, i): Row => {
          const first = measured[0]!.results[i]!;
          return {
            text: name,
            tokenizer: names[i]!,
            ...result,
            tokensPerByte: 1 / result.bytesPerToken,
            parity: result.tokens / first.tokens,
            parityPerByte: first.bytesPerToken / result.bytesPerToken,
          };
        }),
      );
      const costs = cost === undefined ? [] : MORE_ROWS.map((newTokens) => ({ newTokens, ...addedParameters(cost, newTokens) }));
      if (options.json === true) {
        const sizes = names.map((name, i) => ({ tokenizer: name, vocabSize: tokenizers[i]!.vocabSize }));
        const model = cost === undefined ? {} : { model: { ...cost, more: costs } };
        effects.out(`${JSON.stringify({ tokenizers: sizes, rows, ...model }, null, 2)}\n`);
        return;
      }
      effects.out(rowsTable(rows, names.length > 1));
      if (cost === undefined) return;
      const { hiddenSize, tied, perRow } = cost;
      effects.out(
        `\nA token more: ${hiddenSize} × ${tied ? "1 (input and output share it)" : "2 (input and output)"} = ${perRow} parameters\n\n`,
      );
      const cells = costs.map((one) => [String(one.newTokens), one.parameters.toLocaleString("en-US"), percent(one.share)]);
      effects.out(table(["new tokens", "more parameters", "of the model"], cells, [0, 1, 2]));
    });

  async function measure({ name, path }: NamedText, tokenizers: readonly JsonTokenizer[]): Promise<Fertility[]> {
    const { FertilityMeter } = await import("perennial/tokenizer");
    const { readTexts } = await import("perennial/run");
    const { sample, textField } = command.opts<Options>();
    const meters = tokenizers.map((tokenizer) => new FertilityMeter(tokenizer, languageOf(name)));
    let bytes = 0;
    for await (const text of countTexts(readTexts([path], textField), effects, name)) {
      for (const meter of meters) meter.add(text);
      bytes += Buffer.byteLength(text);
      if (bytes >= sample) break;
    }
    const results = meters.map((meter) => meter.result());
    if (results[0]!.tokens === 0)
      throw new FieldError("TOKENIZER_TEXT", { at: path, expected: "text to measure", todo: "check --text-field" });
    return results;
  }
});

/** The name where it is a tag that the word finder knows. */
function languageOf(name: string): string {
  try {
    return Intl.Segmenter.supportedLocalesOf(name)[0] ?? "und";
  } catch {
    return "und"; // not a tag
  }
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

function rowsTable(rows: readonly Row[], several: boolean): string {
  const head = ["text", ...(several ? ["tokenizer"] : [])];
  const numbers = ["tokens per word", "tokens per byte", "parity", "per byte", "coverage", "unknown", "bytes alone", "words split"];
  const cells = rows.map((row) => [
    row.text,
    ...(several ? [row.tokenizer] : []),
    row.fertility.toFixed(2),
    row.tokensPerByte.toFixed(3),
    row.parity.toFixed(2),
    row.parityPerByte.toFixed(2),
    percent(row.coverage),
    percent(row.unknownTokens),
    percent(row.fallbackTokens),
    percent(row.splitWords),
  ]);
  return table(
    [...head, ...numbers],
    cells,
    numbers.map((_, i) => head.length + i),
  );
}
