import { writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { positiveWholeNumber, verb } from "../../verb.ts";

interface Options {
  output?: string;
  maxDocuments: number;
  samples: number;
  json?: boolean;
  quiet?: boolean;
}

export default verb((command, effects) => {
  command
    .argument("<folder>", "the folder of a finished corpus run")
    .option("--output <file>", "the page; default: report.html in the folder")
    .option(
      "--max-documents <count>",
      "look at so many documents, spread over the corpus, for histograms, domains and samples",
      positiveWholeNumber,
      1_000_000,
    )
    .option("--samples <count>", "texts shown of each language and of each reason to drop", positiveWholeNumber, 3)
    .option("--json", "the numbers as JSON, and no page")
    .option("--quiet", "only the result")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, options: Options) => {
      const { collectCorpus, corpusPage } = await import("perennial/report/corpus");
      const folder = resolve(effects.cwd, path);
      const data = await collectCorpus(folder, {
        maxDocuments: options.maxDocuments,
        samples: options.samples,
        ...(options.quiet === true ? {} : { onProgress: (documents: number) => effects.err(`${documents} documents\n`) }),
      });
      if (options.json === true)
        return effects.out(`${JSON.stringify(data, (_, value) => (value instanceof Map ? Object.fromEntries(value) : value), 2)}\n`);
      const target = options.output === undefined ? join(folder, "report.html") : resolve(effects.cwd, options.output);
      writeFileSync(target, corpusPage(data));
      effects.out(`${relative(effects.cwd, target)}\n`);
    });
});

const EXAMPLES = `
Examples:
  perennial corpus report corpora/basque
  perennial corpus report corpora/basque --samples 10 --output basque.html`;
