import { resolve } from "node:path";
import type { Document } from "perennial/corpus";
import { OUTPUT_HELP, writeDocuments } from "../../corpus-output.ts";
import { table } from "../../text.ts";
import { verb } from "../../verb.ts";
import { locations } from "./extract.ts";

interface Options {
  model: string;
  output?: string;
  letters?: boolean;
  textField: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus identify texts.jsonl --model lid.176.ftz
  perennial corpus identify crawl/ --model glotlid.bin --output identified.jsonl.zst
The table has a line per language: documents, median score, and the least score that a corpus run would fit, max(0.3, min(0.9, median - std)).`;

export default verb((command, effects) => {
  command
    .argument("<inputs...>", "files, folders, globs or addresses of documents or pages")
    .requiredOption("--model <path>", "fastText model: .bin or quantized .ftz (lid.176, GlotLID, OpenLID …)")
    .option("--output <file>", OUTPUT_HELP.replace("; default: JSON lines on standard output", "; default: none, only the table"))
    .option("--letters", "show the model lowercase letters and spaces only (HPLT)")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--json", "the table as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (inputs: string[], options: Options) => {
      const { languageLabel, readSteps, ScoreHistogram } = await import("perennial/corpus");
      const scores = new Map<string, InstanceType<typeof ScoreHistogram>>();
      const recipe = {
        inputs: locations(inputs, effects.cwd),
        identify: {
          model: resolve(effects.cwd, options.model),
          cleanup: options.letters === true ? ("letters" as const) : ("newlines" as const),
        },
        reading: { textField: options.textField },
      };
      const documents = async function* (): AsyncGenerator<Document> {
        for await (const document of readSteps(recipe)) {
          const label = languageLabel(document);
          if (!scores.has(label)) scores.set(label, new ScoreHistogram());
          scores.get(label)!.add(document.languageScore ?? 0);
          yield document;
        }
      };
      if (options.output === undefined) for await (const _ of documents());
      else await writeDocuments(options.output, documents(), effects);
      const rows = [...scores]
        .map(([language, histogram]) => ({
          language,
          documents: histogram.total,
          median: histogram.median(),
          minScore: histogram.threshold(),
        }))
        .sort((a, b) => b.documents - a.documents);
      if (options.json === true) effects.out(`${JSON.stringify(rows, null, 2)}\n`);
      else
        effects.out(
          table(
            ["language", "documents", "median score", "fitted least score"],
            rows.map((row) => [row.language, String(row.documents), row.median.toFixed(4), row.minScore.toFixed(4)]),
            [1, 2, 3],
          ),
        );
    });
});
