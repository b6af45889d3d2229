import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Document } from "perennial/corpus";
import { OUTPUT_HELP, Reasons, writeDocuments } from "../../corpus-output.ts";
import { verb } from "../../verb.ts";
import { locations } from "./extract.ts";

interface Options {
  output?: string;
  dropped?: string;
  thresholds: string[];
  filters?: string;
  model?: string;
  language?: string;
  english?: boolean;
  textField: string;
}

const EXAMPLES = `
Examples:
  perennial corpus filter text.jsonl --language eng_Latn --output kept.jsonl.zst --dropped dropped.jsonl
  perennial corpus filter text.jsonl --thresholds thresholds.json --output kept.jsonl.zst
  perennial corpus filter text.jsonl --filters '[{ filter: c4-quality, terminalPunctuation: false }]' --output kept.jsonl
English has the published thresholds, other languages those of --thresholds; a language without any passes the filters that need them.`;

export default verb((command, effects) => {
  command
    .argument("<inputs...>", "files, folders, globs or addresses of documents or pages")
    .option("--output <file>", OUTPUT_HELP)
    .option("--dropped <file>", "JSONL file for the decision on every dropped document")
    .option(
      "--thresholds <file>",
      "thresholds as perennial corpus thresholds writes them (repeatable)",
      (path: string, all: string[]) => [...all, path],
      [],
    )
    .option(
      "--filters <yaml>",
      "the filters, as in a corpus recipe: YAML or a file of it; default: Gopher repetition, FineWeb quality, Gopher quality",
    )
    .option("--model <path>", "identify languages with this fastText model first")
    .option("--language <label>", "label of documents that bring none, e.g. eng_Latn")
    .option("--english", "English thresholds for languages without any")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .addHelpText("after", EXAMPLES)
    .action(async (inputs: string[], options: Options) => {
      const { corpusSchema, dropLine, filterSteps, parseFilters, readSteps } = await import("perennial/corpus");
      const { JsonlWriter } = await import("perennial/corpus/formats");
      const written = options.filters === undefined ? undefined : parseFilters(textOf(options.filters, effects.cwd), "--filters");
      const recipe = corpusSchema.parse({
        inputs: locations(inputs, effects.cwd),
        reading: { textField: options.textField },
        thresholds: {
          given: options.thresholds.map((path) => resolve(effects.cwd, path)),
          missing: options.english === true ? "english" : "keep",
        },
        ...(written === undefined ? {} : { filters: written }),
        ...(options.model === undefined ? {} : { identify: { model: resolve(effects.cwd, options.model) } }),
      });
      const judge = await filterSteps(recipe);
      const drops = options.dropped === undefined ? undefined : await JsonlWriter.open(resolve(effects.cwd, options.dropped));
      const reasons = new Reasons();
      const [language, script] = options.language?.split("_") ?? [];
      const kept = async function* (): AsyncGenerator<Document> {
        for await (const read of readSteps(recipe)) {
          const labeled = read.language !== undefined || language === undefined ? read : { ...read, language, script: script ?? "Zyyy" };
          const judged = judge(labeled);
          if (!("dropped" in judged)) yield judged.document;
          else {
            reasons.add(judged.dropped.reason);
            drops?.write(dropLine(judged.document, "filter", judged.dropped));
          }
        }
      };
      try {
        const count = await writeDocuments(options.output, kept(), effects);
        drops?.close();
        effects.err(`${count} of ${count + reasons.total} documents kept${reasons.total === 0 ? "" : `; dropped: ${reasons}`}\n`);
      } catch (error) {
        drops?.discard();
        throw error;
      }
    });
});

/** YAML as it is, or the path of a file of it. */
const textOf = (given: string, cwd: string): string => (/^\s*\[/.test(given) ? given : readFileSync(resolve(cwd, given), "utf8"));
