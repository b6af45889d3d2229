import { resolve } from "node:path";
import { FieldError } from "perennial";
import { labeledPath } from "../../corpus-output.ts";
import { shareNumber, verb } from "../../verb.ts";

interface Options {
  reference: Record<string, string[]>;
  crawl: string[];
  urlDomain: string[];
  urlTerm: string[];
  minAffinity: number;
  countQuantile: number;
  textField: string;
  output?: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus precision glk_Arab --reference glk_Arab=glk.jsonl --reference pes_Arab=fas.jsonl --output glk.txt
  perennial corpus precision glk_Arab --reference glk_Arab=glk.jsonl --reference pes_Arab=fas.jsonl --crawl crawl.jsonl.zst --url-domain .ir
The list holds the words that are the language's own: affinity of at least 0.85 against all other references, among its most frequent twentieth. A
corpus recipe takes it as { filter: precision, lists: [{ language: glk_Arab, words: ["@glk.txt"] }] }.`;

const many = (value: string, all: string[]) => [...all, value];

export default verb((command, effects) => {
  command
    .argument("<label>", "the language, e.g. glk_Arab")
    .requiredOption(
      "--reference <label=path>",
      "text of the language, and of its neighbors (repeatable)",
      (written: string, all: Options["reference"] | undefined) => labeledPath(written, all ?? {}),
    )
    .option("--crawl <path>", "crawled documents of the language: tell how many the filter would remove (repeatable)", many, [])
    .option("--url-domain <domain>", "top-level domain that speaks for the language, e.g. .ir (repeatable)", many, [])
    .option("--url-term <term>", "term in an address that does (repeatable)", many, [])
    .option("--min-affinity <share>", "least share of a word's uses that are in the language", shareNumber, 0.85)
    .option("--count-quantile <share>", "quantile of the word counts that a word must reach", shareNumber, 0.95)
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--output <file>", "file for the words, one a line")
    .option("--json", "words and contamination as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (label: string, { reference, output, textField, ...options }: Options) => {
      const { affinityWords, countWords, MIN_CONTAMINATION, precision, readDocuments, Rejections, writeFileAtomic } = await import(
        "perennial/corpus"
      );
      const own = reference[label];
      if (own === undefined)
        throw new FieldError("PRECISION_REFERENCE", {
          at: "--reference",
          expected: `text of ${label} among the references: ${label}=PATH`,
        });
      const read = (paths: readonly string[]) =>
        readDocuments(
          paths.map((path) => resolve(effects.cwd, path)),
          { textField, rejections: new Rejections() },
        );
      const texts = async (paths: readonly string[]) => {
        const all: string[] = [];
        for await (const { text } of read(paths)) all.push(text);
        return all;
      };
      const target = countWords(await texts(own), label);
      const others = [];
      for (const [other, paths] of Object.entries(reference)) if (other !== label) others.push(countWords(await texts(paths), label));
      const words = affinityWords(target, others, { minAffinity: options.minAffinity, countQuantile: options.countQuantile });
      if (output !== undefined) writeFileAtomic(resolve(effects.cwd, output), `# words of ${label}\n${words.join("\n")}\n`);
      let documents = 0;
      let removed = 0;
      if (options.crawl.length > 0) {
        const filter = precision({ language: label, words, urlDomains: options.urlDomain, urlTerms: options.urlTerm });
        for await (const document of read(options.crawl)) {
          documents++;
          if (!filter.decide(document).kept) removed++;
        }
      }
      const contamination = documents === 0 ? null : removed / documents;
      if (options.json === true) return effects.out(`${JSON.stringify({ language: label, words, documents, contamination })}\n`);
      effects.out(
        `${words.length} of ${target.size} words are its own${words.length === 0 ? "" : `: ${words.slice(0, 12).join(" ")}${words.length > 12 ? " …" : ""}`}\n`,
      );
      if (contamination !== null)
        effects.out(
          `${removed} of ${documents} crawled documents have none (${(100 * contamination).toFixed(1)} %): ` +
            `${contamination > MIN_CONTAMINATION ? "worth filtering" : `below ${100 * MIN_CONTAMINATION} %, a corpus run would not filter`}\n`,
        );
    });
});
