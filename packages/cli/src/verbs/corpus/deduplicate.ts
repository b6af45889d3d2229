import { relative, resolve } from "node:path";
import { interruptible } from "../../interrupt.ts";
import { loadCorpusDisplay, loadProgress } from "../../lazy.ts";
import { Incomplete, positiveWholeNumber, verb } from "../../verb.ts";
import { locations } from "./extract.ts";

interface Options {
  output: string;
  method: string;
  shingleSize: number;
  bands: number;
  hashes: number;
  hashBits: number;
  earlier?: string;
  workers: number;
  textField: string;
  json?: boolean;
  quiet?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus deduplicate january/*.jsonl.zst --output january-unique --workers 4
  perennial corpus deduplicate february/*.jsonl.zst --output february-unique --earlier january-unique
  perennial corpus deduplicate texts/ --output unique --method exact
Documents that bring a language are compared within it. The folder is a corpus run: documents/, dropped/ (with the cluster of each copy), manifest.json.`;

export default verb((command, effects) => {
  command
    .argument("<inputs...>", "files, folders, globs or addresses of documents or pages")
    .requiredOption("--output <folder>", "folder of the run; the same command goes on where it was stopped")
    .option("--method <name>", "minhash, or exact: the same text byte by byte", "minhash")
    .option("--shingle-size <words>", "words in a shingle", positiveWholeNumber, 5)
    .option("--bands <count>", "bands of hashes", positiveWholeNumber, 14)
    .option("--hashes <count>", "hashes in a band", positiveWholeNumber, 8)
    .option("--hash-bits <bits>", "32 or 64", positiveWholeNumber, 64)
    .option("--earlier <folder>", "run whose documents count as older: copies of them go, too")
    .option("--workers <count>", "threads", positiveWholeNumber, 1)
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--json", "progress and result as JSON lines")
    .option("--quiet", "only the result")
    .addHelpText("after", EXAMPLES)
    .action(async (inputs: string[], options: Options) => {
      const { parseCorpusRecipe, runCorpus } = await import("perennial/corpus");
      const { failureText, funnelTable, TaskProgress } = await loadCorpusDisplay();
      const { progressMode } = await loadProgress();
      const folder = resolve(effects.cwd, options.output);
      const minhash = {
        shingleSize: options.shingleSize,
        numBands: options.bands,
        hashesPerBand: options.hashes,
        hashBits: options.hashBits,
      };
      const written = {
        inputs: locations(inputs, effects.cwd),
        reading: { textField: options.textField },
        repair: { mojibake: false, symbolLines: false },
        languages: { minScore: 0 },
        deduplicate: { method: options.method, ...(options.method === "exact" ? {} : minhash) },
        ...(options.earlier === undefined ? {} : { earlier: resolve(effects.cwd, options.earlier) }),
        filters: [],
        anonymize: null,
      };
      const { recipe } = parseCorpusRecipe(JSON.stringify(written), "the options");
      const progress = new TaskProgress(
        progressMode({ quiet: options.quiet === true, json: options.json === true }, effects.isTTY),
        effects,
      );
      const manifest = await interruptible(effects, "stopping; the same command goes on from here", (signal) =>
        runCorpus(folder, recipe, { signal, workers: options.workers, onTask: (...told) => progress.task(...told) }),
      ).finally(() => progress.end());
      const { clusters, documents, funnel } = manifest;
      if (options.json === true) effects.out(`${JSON.stringify({ type: "result", folder, documents, clusters, funnel })}\n`);
      else
        effects.out(`${funnelTable(funnel)}\n${relative(effects.cwd, folder)}/documents, ${relative(effects.cwd, folder)}/manifest.json\n`);
      const failed = failureText(manifest);
      if (failed !== undefined) throw new Incomplete(failed);
    });
});
