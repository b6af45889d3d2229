import { resolve } from "node:path";
import { printable, table } from "../../text.ts";
import { verb, wholeNumber } from "../../verb.ts";

interface Options {
  step?: string;
  filter?: string;
  reason?: string;
  language?: string;
  url?: string;
  show?: number;
  skip: number;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus inspect corpora/fineweb2                                    which rule dropped how many
  perennial corpus inspect corpora/fineweb2 --filter gopher-quality --show 10  documents, with the numbers that decided
  perennial corpus inspect corpora/fineweb2 --url example.org/page --show 1    why is this page not there?
  perennial corpus inspect corpora/fineweb2 --step deduplicate --show 1000 --json | jq .dropped.clusterSize`;

export default verb((command, effects) => {
  command
    .argument("<run>", "folder of a corpus run")
    .option("--step <name>", "only this step: urls, robots, extract, license, language, deduplicate, filter, failed")
    .option("--filter <name>", "only this filter, e.g. gopher-quality")
    .option("--reason <name>", "only this reason, e.g. core-words-below-min")
    .option("--language <label>", "only this language, e.g. kab_Latn")
    .option("--url <part>", "only addresses or ids that hold this")
    .option("--show <count>", "show documents instead of counts", wholeNumber)
    .option("--skip <count>", "pass over the first", wholeNumber, 0)
    .option("--json", "counts or documents as JSON lines")
    .addHelpText("after", EXAMPLES)
    .action(async (run: string, { show, skip, json = false, url, ...given }: Options) => {
      const { countDrops, inspectDrops, languageLabel } = await import("perennial/corpus");
      const folder = resolve(effects.cwd, run);
      const { step, filter, reason, language } = given;
      const query = Object.fromEntries(
        Object.entries({ step, filter, reason, language, address: url }).filter(([, value]) => value !== undefined),
      );
      if (show === undefined) {
        const counts = await countDrops(folder, query);
        if (json) for (const count of counts) effects.out(`${JSON.stringify(count)}\n`);
        else if (counts.length === 0) effects.out("No such document was dropped.\n");
        else
          effects.out(
            table(
              ["step", "filter", "reason", "language", "documents"],
              counts.map((count) => [
                count.step,
                count.filter ?? "–",
                printable(count.reason),
                printable(count.language),
                String(count.documents),
              ]),
              [4],
            ),
          );
        return;
      }
      let number = 0;
      for await (const line of inspectDrops(folder, query)) {
        if (number++ < skip) continue;
        if (number > skip + show) break;
        if (json) {
          effects.out(`${JSON.stringify(line)}\n`);
          continue;
        }
        const { step, reason, ...numbers } = line.dropped;
        const details = Object.entries(numbers).map(
          ([name, value]) => `${name} ${typeof value === "number" ? shortened(value) : String(value)}`,
        );
        effects.out(
          `${printable(line.url ?? line.id)}\n  ${languageLabel(line)} ${line.languageScore ?? ""}  ${step}: ${printable(reason)}${details.length === 0 ? "" : ` (${printable(details.join(", "))})`}\n` +
            `  ${printable(line.excerpt.replace(/\s+/g, " ").slice(0, 200))}\n`,
        );
      }
      if (number <= skip) effects.out(number === 0 ? "No such document was dropped.\n" : `There are ${number} such documents.\n`);
    });
});

const shortened = (value: number) => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
