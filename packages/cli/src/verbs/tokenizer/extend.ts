import { resolve } from "node:path";
import { FieldError } from "perennial";
import type { Changes, ExtendedTokenizer, JsonTokenizer } from "perennial/tokenizer";
import { printable, table } from "../../text.ts";
import { positiveWholeNumber, verb } from "../../verb.ts";
import { checkNewFolder, saveWhole } from "./folder.ts";
import { addedParameters, type RowCost, rowCost } from "./parameters.ts";
import { countTexts, Sample } from "./texts.ts";

interface Options {
  newTokens: number;
  output?: string;
  keep?: string[];
  old?: string[];
  model?: string;
  language: string;
  minFrequency: number;
  textField: string;
  dryRun?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial tokenizer extend models/base data/basque.jsonl --new-tokens 8000 --keep data/english.jsonl --dry-run
  perennial tokenizer extend models/base data/basque.jsonl --new-tokens 4000 --keep data/english.jsonl --output models/basque-tokenizer

--dry-run learns an eighth, a quarter, half and all of the new tokens, without and with --keep, from nine documents of ten, and
measures on the tenth: text that nothing was learnt from. Parity: tokens per byte of the new text for one of the old text.`;

interface Row {
  /** Old text protected. */
  readonly kept: boolean;
  readonly newTokens: number;
  readonly vocabSize: number;
  readonly fertility: number;
  readonly tokensPerByte: number;
  /** Tokens of the new text, for one with the tokenizer as it was. */
  readonly tokensShare: number;
  readonly coverage: number;
  readonly parity?: number;
  readonly parameters?: number;
  /** For one parameter of the model as it is. */
  readonly parametersShare?: number;
  readonly oldText?: Pick<Changes, "texts" | "changedTexts" | "changedTokens" | "examples">;
}

export default verb((command, effects) => {
  command
    .argument("<tokenizer>", "a tokenizer.json or a model folder: byte-level BPE, SentencePiece-type BPE or Unigram")
    .argument("<text...>", "text in the new language: files, folders or globs")
    .requiredOption("--new-tokens <count>", "at most so many; fewer where the text has no more that are worth it", positiveWholeNumber)
    .option("--output <folder>", "where the extended tokenizer goes; new or empty (needed without --dry-run)")
    .option("--keep <text...>", "old text whose tokens must stay: nothing is learnt that would change it")
    .option("--old <text...>", "old text that is only measured: what would change in it")
    .option("--model <folder>", "tell what the new rows cost this model (default: the tokenizer's folder, where it is a model's)")
    .option("--language <tag>", "of the new text, as in eu or zh-Hans: decides what a word is", "und")
    .option("--min-frequency <count>", "what occurs less often becomes no token", positiveWholeNumber, 2)
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--dry-run", "show what several sizes would bring, and write nothing")
    .option("--json", "the figures as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, texts: string[], options: Options) => {
      const { dryRun = false, newTokens, minFrequency } = options;
      if (!dryRun && options.output === undefined)
        throw new FieldError("TOKENIZER_EXTEND", { at: "--output", expected: "a folder", todo: "give one, or --dry-run" });
      const output = resolve(effects.cwd, options.output ?? ".");
      if (!dryRun) checkNewFolder(output, options.output!);
      checkLanguage(options.language);
      const { loadTokenizer, readForExtension } = await import("perennial/tokenizer");
      const { readTexts } = await import("perennial/run");
      const source = resolve(effects.cwd, path);
      const old = await loadTokenizer(source);
      const cost = await rowCost(options.model === undefined ? undefined : resolve(effects.cwd, options.model), source);
      const read = (given: readonly string[], what: string) =>
        countTexts(
          readTexts(
            given.map((text) => resolve(effects.cwd, text)),
            options.textField,
          ),
          effects,
          what,
        );
      const [fresh, protectedText, measured] = [new Sample(dryRun), new Sample(dryRun), new Sample(false)];
      const learning = await readForExtension(old, fresh.take(read(texts, "new text")), {
        minFrequency,
        ...(options.keep === undefined ? {} : { keep: protectedText.take(read(options.keep, "text to keep")) }),
      });
      if (fresh.texts.length === 0)
        throw new FieldError("TOKENIZER_TEXT", { at: texts.join(", "), expected: "text to learn from", todo: "check --text-field" });
      if (options.old !== undefined) for await (const _ of measured.take(read(options.old, "old text"))); // fills the sample
      const sample: Samples = {
        fresh: fresh.texts,
        ...(options.old !== undefined ? { old: measured.texts } : options.keep !== undefined ? { old: protectedText.texts } : {}),
      };
      const sizes = dryRun ? [...new Set([8, 4, 2, 1].map((part) => Math.ceil(newTokens / part)))] : [newTokens];
      const ways = options.keep === undefined ? [false] : dryRun ? [false, true] : [true];
      const rows = [await rowOf(old, old, false, sample, options.language, cost)];
      let last: ExtendedTokenizer | undefined;
      for (const kept of ways)
        for (const [i, size] of sizes.entries()) {
          if (effects.isTTY) effects.err(`\r\u001b[Klearning ${size} tokens`);
          last = await learning.learn(size, kept);
          rows.push(await rowOf(old, last.tokenizer, kept, sample, options.language, cost));
          // The text is used up: larger sizes give the same.
          if (last.learnt.length < size && i < sizes.length - 1) break;
        }
      if (effects.isTTY) effects.err("\r\u001b[K");
      if (!dryRun) await saveWhole(last!.tokenizer, output);
      const heldOut = fresh.isHeldOut;
      if (options.json === true) {
        const written = dryRun ? {} : { output, oldVocabSize: last!.oldVocabSize, newVocabSize: last!.newVocabSize, learnt: last!.learnt };
        effects.out(`${JSON.stringify({ ...written, heldOut, ...(cost === undefined ? {} : { model: cost }), rows }, null, 2)}\n`);
        return;
      }
      effects.out(tableOf(rows));
      effects.out(`\nMeasured on ${fresh.texts.length} documents${heldOut ? " that nothing was learnt from" : ""}.\n`);
      const final = rows.at(-1)!;
      effects.out(changesText(final));
      if (dryRun) return;
      if (last!.learnt.length < newTokens) effects.err(`note: the text has no more than ${last!.learnt.length} tokens that are worth it\n`);
      effects.out(`${options.output}: ${last!.oldVocabSize} tokens and ${last!.learnt.length} new ones\n`);
    });
});

export function checkLanguage(language: string): void {
  try {
    Intl.getCanonicalLocales(language);
  } catch (cause) {
    throw new FieldError("LANGUAGE", { at: "--language", expected: "a language tag such as eu or zh-Hans", received: language }, { cause });
  }
}

interface Samples {
  readonly fresh: readonly string[];
  readonly old?: readonly string[];
}

async function rowOf(
  old: JsonTokenizer,
  tokenizer: JsonTokenizer,
  kept: boolean,
  samples: Samples,
  language: string,
  cost: RowCost | undefined,
): Promise<Row> {
  const { compareTokenizers, fertility } = await import("perennial/tokenizer");
  const now = fertility(tokenizer, samples.fresh, language);
  const before = tokenizer === old ? now.tokens : old.encodeBatch(samples.fresh, { addSpecialTokens: false }).ids.length;
  const newTokens = tokenizer.vocabSize - old.vocabSize;
  const row = {
    kept,
    newTokens,
    vocabSize: tokenizer.vocabSize,
    fertility: now.fertility,
    tokensPerByte: 1 / now.bytesPerToken,
    tokensShare: now.tokens / before,
    coverage: now.coverage,
    ...(cost === undefined ? {} : renamed(addedParameters(cost, newTokens))),
  };
  if (samples.old === undefined || samples.old.length === 0) return row;
  const { texts, changedTexts, changedTokens, examples, newTokens: oldTextTokens } = compareTokenizers(old, tokenizer, samples.old);
  const bytes = samples.old.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { ...row, parity: row.tokensPerByte / (oldTextTokens / bytes), oldText: { texts, changedTexts, changedTokens, examples } };
}

const renamed = ({ parameters, share }: ReturnType<typeof addedParameters>) => ({ parameters, parametersShare: share });

const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`;

function tableOf(rows: readonly Row[]): string {
  const columns: [head: string, cell: (row: Row) => string | undefined][] = [
    ["new tokens", ({ newTokens }) => String(newTokens)],
    ["old text", ({ kept, newTokens }) => (newTokens === 0 ? "as it was" : kept ? "kept" : "free")],
    ["tokens per word", ({ fertility }) => fertility.toFixed(2)],
    ["tokens per byte", ({ tokensPerByte }) => tokensPerByte.toFixed(3)],
    ["of before", ({ tokensShare }) => percent(tokensShare, 0)],
    ["coverage", ({ coverage }) => percent(coverage, 2)],
    ["parity", ({ parity }) => parity?.toFixed(2)],
    ["old documents changed", ({ oldText }) => oldText && percent(oldText.changedTexts / oldText.texts)],
    ["old tokens changed", ({ oldText }) => oldText && percent(oldText.changedTokens, 2)],
    ["more parameters", ({ parameters }) => parameters?.toLocaleString("en-US")],
    ["of the model", ({ parametersShare }) => (parametersShare === undefined ? undefined : percent(parametersShare))],
  ];
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== undefined));
  return table(
    shown.map(([head]) => head),
    rows.map((row) => shown.map(([, cell]) => cell(row) ?? "")),
    shown.flatMap(([head], i) => (head === "old text" ? [] : [i])),
  );
}

function changesText({ oldText }: Row): string {
  if (oldText === undefined || oldText.changedTexts === 0) return "";
  const examples = oldText.examples.map(({ before, after }) => `  ${printable(before.join(" | "))}  →  ${printable(after.join(" | "))}\n`);
  return `Old text in ${oldText.changedTexts} of ${oldText.texts} documents is cut differently now, for example\n${examples.join("")}`;
}
