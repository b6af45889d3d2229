import { resolve } from "node:path";
import { loadProgress } from "../../lazy.ts";
import { positiveWholeNumber, setOption, verb, wholeNumber } from "../../verb.ts";

interface Options {
  set: string[];
  workers: number;
  sample: number;
  earlierDocuments: number;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus forecast recipe.yaml --workers 8
  perennial corpus forecast recipe.yaml --set deduplicate.numBands=20 --earlier-documents 40000000 --json
Some documents of the first shards are read and measured on this machine; nothing is written.`;

export default verb((command, effects) => {
  setOption(command)
    .argument("<recipe>", "the corpus recipe, a YAML file")
    .option("--workers <count>", "threads that would work", positiveWholeNumber, 1)
    .option("--sample <documents>", "documents to measure on", positiveWholeNumber, 400)
    .option("--earlier-documents <count>", "documents of the corpora before, where `earlier` is set", wholeNumber, 0)
    .option("--json", "the numbers as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, { set, json = false, ...options }: Options) => {
      const { forecastCorpus, loadCorpusRecipe, planCorpus } = await import("perennial/corpus");
      const { clock, gibibytes } = await loadProgress();
      const { recipe } = loadCorpusRecipe(resolve(effects.cwd, path), { set });
      const forecast = await forecastCorpus(await planCorpus(recipe), options);
      if (json) return effects.out(`${JSON.stringify(forecast, null, 2)}\n`);
      const { sampled, shards, inputBytes, documents, textBytes, readDocumentsPerSecond, readSeconds, deduplication } = forecast;
      const rate = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} documents/s a worker`;
      effects.out(
        `inputs      ${shards} shards, ${gibibytes(inputBytes)}\n` +
          `documents   about ${documents}, ${gibibytes(textBytes)} of text (from ${sampled} that were looked at)\n` +
          `reading     ${clock(readSeconds)} at ${rate(readDocumentsPerSecond)}, ${options.workers} workers\n`,
      );
      if (deduplication === null) return effects.out("deduplicate nothing\n");
      const { signatureBytes, bucketBytes, clusterBytes, diskBytes, memoryBytes, seconds, documentsPerSecond } = deduplication;
      effects.out(
        `deduplicate ${clock(seconds.total)}: signatures ${clock(seconds.signatures)} at ${rate(documentsPerSecond)}, buckets ${clock(seconds.buckets)}, clusters ${clock(seconds.clusters)}\n` +
          `disk        ${gibibytes(diskBytes)}: signatures ${gibibytes(signatureBytes)}, buckets ${gibibytes(bucketBytes)}, clusters ${gibibytes(clusterBytes)}\n` +
          `memory      ${gibibytes(memoryBytes)}, ${options.workers} workers of ${gibibytes(memoryBytes / options.workers)}\n`,
      );
    });
});
