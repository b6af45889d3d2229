import { resolve } from "node:path";
import type { CorpusRecipe } from "perennial/corpus";
import { OUTPUT_HELP, Reasons, writeDocuments } from "../../corpus-output.ts";
import { verb } from "../../verb.ts";

const EXAMPLES = `
Examples:
  perennial corpus extract page.html
  perennial corpus extract crawl/*.warc.gz https://example.org/CC-MAIN-1.warc.gz --output text.jsonl.zst`;

export default verb((command, effects) => {
  command
    .argument("<inputs...>", "WARC, WET, HTML (or JSONL, Parquet, text): files, folders, globs, addresses")
    .option("--output <file>", OUTPUT_HELP)
    .option("--no-repair", "leave wrongly decoded text as it is")
    .option("--max-seconds <seconds>", "time for a page", Number, 1)
    .addHelpText("after", EXAMPLES)
    .action(async (inputs: string[], options: { output?: string; repair: boolean; maxSeconds: number }) => {
      const { readSteps } = await import("perennial/corpus");
      const reasons = new Reasons();
      const recipe = {
        inputs: locations(inputs, effects.cwd),
        repair: { mojibake: options.repair },
        extract: { maxSeconds: options.maxSeconds },
      };
      const listener = {
        onDrop: ({ dropped }: { dropped: { reason: string } }) => reasons.add(dropped.reason),
        onRejection: ({ reason }: { reason: string }) => reasons.add(reason),
      };
      const count = await writeDocuments(options.output, readSteps(recipe, listener), effects);
      effects.err(`${count} documents${reasons.total === 0 ? "" : `; set aside: ${reasons}`}\n`);
    });
});

/** Paths where the command is called; addresses as they are. */
export const locations = (inputs: readonly string[], cwd: string): CorpusRecipe["inputs"] =>
  inputs.map((input) => (/^(https?|s3):\/\//.test(input) ? input : resolve(cwd, input)));
