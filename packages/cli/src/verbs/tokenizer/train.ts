import { resolve } from "node:path";
import { FieldError } from "perennial";
import { positiveWholeNumber, verb } from "../../verb.ts";
import { checkNewFolder, saveWhole } from "./folder.ts";
import { countTexts } from "./texts.ts";

interface Options {
  kind: string;
  vocabSize: number;
  output: string;
  textField: string;
}

const EXAMPLES = `
Examples:
  perennial tokenizer train corpus/*.jsonl --vocab-size 32000 --output tokenizer
  perennial tokenizer train corpus/*.jsonl --kind unigram --vocab-size 8000 --output tokenizer`;

export default verb((command, effects) => {
  command
    .argument("<text...>", "files, folders or globs")
    .requiredOption("--vocab-size <count>", "entries, special tokens included", positiveWholeNumber)
    .requiredOption("--output <folder>", "where tokenizer.json goes; new or empty")
    .option("--kind <kind>", "bpe: byte-level BPE; unigram: pieces by likelihood, as SentencePiece has them, with byte fallback", "bpe")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .addHelpText("after", EXAMPLES)
    .action(async (texts: string[], { kind, vocabSize, output, textField }: Options) => {
      if (kind !== "bpe" && kind !== "unigram")
        throw new FieldError("TOKENIZER_KIND", { at: "--kind", expected: "bpe or unigram", received: kind });
      const folder = resolve(effects.cwd, output);
      checkNewFolder(folder, output);
      const { trainTokenizer, trainUnigramTokenizer } = await import("perennial/tokenizer");
      const { readTexts } = await import("perennial/run");
      const paths = texts.map((text) => resolve(effects.cwd, text));
      const read = countTexts(readTexts(paths, textField), effects, "learning");
      const learn = kind === "bpe" ? trainTokenizer : trainUnigramTokenizer;
      const { tokenizer, words, differentWords } = await learn(read, { vocabSize });
      if (words === 0)
        throw new FieldError("TOKENIZER_TEXT", { at: texts.join(", "), expected: "text to learn from", todo: "check --text-field" });
      await saveWhole(tokenizer, folder);
      effects.out(`${output}: ${tokenizer.vocabSize} tokens from ${words} words, ${differentWords} of them different\n`);
    });
});
