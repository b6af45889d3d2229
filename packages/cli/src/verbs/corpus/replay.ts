import { resolve } from "node:path";
import type { ReplayCounts } from "perennial/corpus";
import { loadProgress } from "../../lazy.ts";
import { table } from "../../text.ts";
import { nonNegativeNumber, verb, wholeNumber } from "../../verb.ts";

interface Options {
  set: string[];
  thresholds: string[];
  minScore?: number;
  changed?: number;
  write?: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus replay corpora/fineweb2 --set gopherQuality.minWords=20
  perennial corpus replay corpora/fineweb2 --set kab_Latn.finewebQuality.minTerminalLines=null --changed 5
  perennial corpus replay corpora/fineweb2 --thresholds other.json --write new.json
Only numbers are read that the run has kept of every document. To make it so, name the written file in the recipe (thresholds.given) and run it again
with --redo: what was read, compared and measured stays.`;

export default verb((command, effects) => {
  command
    .argument("<run>", "folder of a corpus run")
    .option(
      "--set <change>",
      "[LABEL.]GROUP.THRESHOLD=NUMBER or null (repeatable)",
      (change: string, all: string[]) => [...all, change],
      [],
    )
    .option(
      "--thresholds <file>",
      "thresholds of languages instead of the run's own (repeatable)",
      (path: string, all: string[]) => [...all, path],
      [],
    )
    .option("--min-score <score>", "least Web Docs Score, for a recipe that filters by it", nonNegativeNumber)
    .option("--changed <count>", "show so many documents whose fate changes", wholeNumber, 0)
    .option("--write <file>", "JSON file for the thresholds with the changes in them")
    .option("--json", "the comparison as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (run: string, options: Options) => {
      const { changeThresholds, readChosen, readThresholds, replayRun, writeFileAtomic } = await import("perennial/corpus");
      const folder = resolve(effects.cwd, run);
      const given = options.thresholds.flatMap((path) => readThresholds(resolve(effects.cwd, path)));
      const own = { ...readChosen(folder).thresholds, ...Object.fromEntries(given.map((one) => [one.language, one])) };
      const thresholds = changeThresholds(own, options.set);
      const changes: { id: string; language: string; before: string | null; now: string | null }[] = [];
      const counts = await replayRun(folder, {
        thresholds,
        ...(options.minScore === undefined ? {} : { minScore: options.minScore }),
        onChange: ({ id, label }, before, now) => {
          if (changes.length < (options.changed ?? 0)) changes.push({ id, language: label, before: before ?? null, now: now ?? null });
        },
      });
      if (options.write !== undefined)
        writeFileAtomic(resolve(effects.cwd, options.write), `${JSON.stringify(Object.values(thresholds), null, 2)}\n`);
      if (options.json === true) return effects.out(`${JSON.stringify({ languages: counts, changed: changes }, null, 2)}\n`);
      const { gibibytes } = await loadProgress();
      const rows = counts.map(({ language, documents, keptBefore, keptNow, bytesBefore, bytesNow, lost, gained }) => [
        ...[language, String(documents), String(keptBefore), String(keptNow), `−${lost}`, `+${gained}`],
        ...[gibibytes(bytesBefore), gibibytes(bytesNow)],
      ]);
      effects.out(table(["language", "documents", "kept", "kept now", "lost", "gained", "text", "text now"], rows, [1, 2, 3, 4, 5, 6, 7]));
      const reasons = counts.flatMap(reasonRows);
      if (reasons.length > 0) effects.out(`\n${table(["language", "reason", "drops", "drops now"], reasons, [2, 3])}`);
      for (const { id, language, before, now } of changes) effects.out(`${language} ${id}: ${before ?? "kept"} → ${now ?? "kept"}\n`);
    });
});

const reasonRows = ({ language, reasons }: ReplayCounts): string[][] =>
  Object.entries(reasons)
    .filter(([, { before, now }]) => before !== now)
    .map(([reason, { before, now }]) => [language, reason, String(before), String(now)]);
