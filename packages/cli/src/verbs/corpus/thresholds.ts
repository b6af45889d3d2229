import { resolve } from "node:path";
import { FieldError, nearest } from "perennial";
import type { LanguageThresholds } from "perennial/corpus";
import { labeledPath } from "../../corpus-output.ts";
import { table } from "../../text.ts";
import { verb, wholeNumber } from "../../verb.ts";

type Paths = Record<string, string[]>;

interface Options {
  english: string[];
  reference: Paths;
  crawl: Paths;
  method: Record<string, string>;
  on: Record<string, string>;
  textField: string;
  maxDocuments: number;
  output?: string;
  json?: boolean;
}

const GROUPS = ["gopherRepetition", "finewebQuality", "gopherQuality"] as const;

const EXAMPLES = `
Examples:
  perennial corpus thresholds --english en-wiki.jsonl --reference eus_Latn=eu-wiki.jsonl --output thresholds.json
  perennial corpus thresholds --english en.jsonl --reference kab_Latn=kab.jsonl --crawl kab_Latn=crawl.jsonl.zst --crawl eng_Latn=en-crawl.jsonl.zst \\
    --method finewebQuality=medianRatio
Methods: english, meanStd, quantile, tenTail, medianRatio (FineWeb2, arXiv 2506.20920). Repetition is fitted on --crawl where it is given for the
language and for English, everything else on the references. A corpus run takes the file as thresholds.given.`;

export default verb((command, effects) => {
  const pair = (written: string, all: Record<string, string>) => {
    const [, group = "", value = ""] = /^(\w+)=(\w+)$/.exec(written) ?? [];
    if (!(GROUPS as readonly string[]).includes(group)) {
      const near = nearest(group, GROUPS);
      throw new FieldError("CORPUS_OPTION", {
        at: "GROUP=VALUE",
        expected: `a group of ${GROUPS.join(", ")}`,
        received: written,
        ...(near ? { todo: `did you mean ${near}?` } : {}),
      });
    }
    return { ...all, [group]: value };
  };
  command
    .requiredOption("--english <path>", "clean English text (repeatable)", (path: string, all: string[] | undefined) => [
      ...(all ?? []),
      path,
    ])
    .requiredOption("--reference <label=path>", "clean text of a language (repeatable)", (written: string, all: Paths | undefined) =>
      labeledPath(written, all ?? {}),
    )
    .option("--crawl <label=path>", "text of the crawl in a language, and in eng_Latn (repeatable)", labeledPath, {})
    .option("--method <group=name>", "another method for gopherRepetition, finewebQuality or gopherQuality (repeatable)", pair, {})
    .option("--on <group=text>", "crawl or reference (repeatable)", pair, {})
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option("--max-documents <count>", "documents read of each", wholeNumber, 100_000)
    .option("--output <file>", "JSON file for the thresholds; default: only the table")
    .option("--json", "the thresholds as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async ({ english: englishPaths, reference, crawl, output, ...options }: Options) => {
      const { ADAPTATION_METHODS, fitThresholds, readReference, writeFileAtomic } = await import("perennial/corpus");
      for (const [group, name] of Object.entries(options.method)) checkOne(`--method ${group}`, name, ADAPTATION_METHODS);
      for (const [group, name] of Object.entries(options.on)) checkOne(`--on ${group}`, name, ["crawl", "reference"]);
      const read = async (label: string, paths: readonly string[]) => {
        const found = await readReference(
          label,
          paths.map((path) => resolve(effects.cwd, path)),
          { textField: options.textField, maxDocuments: options.maxDocuments },
        );
        effects.err(`${label}: ${found.documents} documents of ${paths.join(", ")}\n`);
        return found;
      };
      const english = await read("eng_Latn", englishPaths);
      const englishCrawl = crawl.eng_Latn && (await read("eng_Latn", crawl.eng_Latn));
      const fitted: LanguageThresholds[] = [];
      for (const [language, paths] of Object.entries(reference)) {
        const clean = { english, language: await read(language, paths) };
        const own = crawl[language] && englishCrawl && (await read(language, crawl[language]));
        const crawled = own && englishCrawl ? { english: englishCrawl, language: own } : clean;
        fitted.push(
          fitThresholds({
            language,
            clean,
            crawl: crawled,
            methods: options.method,
            on: options.on as Record<string, "crawl" | "reference">,
          }),
        );
      }
      const json = `${JSON.stringify(fitted, null, 2)}\n`;
      if (output !== undefined) writeFileAtomic(resolve(effects.cwd, output), json);
      if (options.json === true) return effects.out(json);
      const names = [...new Set(fitted.flatMap(({ because }) => Object.keys(because)))];
      const value = (one: (typeof fitted)[number], name: string) => {
        const [group = "", threshold = ""] = name.split(".");
        return String((one as unknown as Record<string, Record<string, number | null>>)[group]?.[threshold] ?? "off");
      };
      const rows = names.map((name) => {
        const { english: published, method } = fitted[0]!.because[name]!;
        return [name, method, String(published), ...fitted.map((one) => value(one, name))];
      });
      effects.out(
        table(["threshold", "method", "English", ...fitted.map(({ language }) => language)], rows, [2, ...fitted.map((_, i) => i + 3)]),
      );
      for (const { language, stopWords } of fitted) effects.out(`stop words of ${language}: ${stopWords.join(" ")}\n`);
    });
});

function checkOne(at: string, received: string, known: readonly string[]): void {
  if (known.includes(received)) return;
  const near = nearest(received, known);
  throw new FieldError("CORPUS_OPTION", {
    at,
    expected: `one of ${known.join(", ")}`,
    received,
    ...(near ? { todo: `did you mean ${near}?` } : {}),
  });
}
