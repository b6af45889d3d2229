/**
 * The decisions of a run made again under other thresholds, from the numbers that are kept of every document (measured.ts): no text is read and
 * nothing is computed anew. Filters on text (C4, word lists, precision) are left out on both sides of the comparison. `statistics.stopWords`
 * counts words of the list that was in use; a change of the list itself needs a new measurement.
 */
import { FieldError, nearest } from "../../errors.ts";
import { finewebQuality, gopherQuality, gopherRepetition } from "../filter/index.ts";
import { type LanguageThresholds, languageThresholdsSchema } from "../thresholds/index.ts";
import { type Measured, readMeasured, unpackStatistics } from "./measured.ts";
import { readPlan } from "./plan.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { type ChosenThresholds, readChosen, thresholdsFor } from "./thresholds-phase.ts";

export interface ReplayCounts {
  readonly language: string;
  /** Documents that were measured: neither foreign nor copies. */
  documents: number;
  keptBefore: number;
  keptNow: number;
  bytesBefore: number;
  bytesNow: number;
  /** Kept then and dropped now, and the other way round. */
  lost: number;
  gained: number;
  /** Reason → documents that it drops now and before. */
  readonly reasons: Record<string, { before: number; now: number }>;
}

export interface ReplayChange {
  /** Instead of the run's own, by label. */
  readonly thresholds?: Readonly<Record<string, LanguageThresholds>>;
  /** Least Web Docs Score. */
  readonly minScore?: number;
  readonly onChange?: (row: Measured, before: string | undefined, now: string | undefined) => void;
}

export async function replayRun(folder: string, { thresholds = {}, minScore, onChange }: ReplayChange): Promise<ReplayCounts[]> {
  const { recipe, shards } = readPlan(folder);
  const chosen = readChosen(folder);
  const before = decider(recipe, chosen);
  const now = decider(recipe, { ...chosen, thresholds: { ...chosen.thresholds, ...thresholds } }, minScore);
  const counts = new Map<string, ReplayCounts>();
  for (const index of shards.keys())
    for await (const row of readMeasured(folder, index)) {
      const count = countsOf(counts, row.label);
      const [then, here] = [before(row), now(row)];
      count.documents++;
      if (then === undefined) add(count, "Before", row);
      else reasonOf(count, then).before++;
      if (here === undefined) add(count, "Now", row);
      else reasonOf(count, here).now++;
      if (then === undefined && here !== undefined) count.lost++;
      if (then !== undefined && here === undefined) count.gained++;
      if (then !== here) onChange?.(row, then, here);
    }
  return [...counts.values()].sort((a, b) => b.documents - a.documents);
}

function countsOf(counts: Map<string, ReplayCounts>, language: string): ReplayCounts {
  const none = { documents: 0, keptBefore: 0, keptNow: 0, bytesBefore: 0, bytesNow: 0, lost: 0, gained: 0 };
  const found = counts.get(language) ?? { language, ...none, reasons: {} };
  counts.set(language, found);
  return found;
}

function add(count: ReplayCounts, when: "Before" | "Now", { bytes }: Measured): void {
  count[`kept${when}`]++;
  count[`bytes${when}`] += bytes;
}

function reasonOf(count: ReplayCounts, reason: string): { before: number; now: number } {
  count.reasons[reason] ??= { before: 0, now: 0 };
  return count.reasons[reason];
}

/** The reason why the filters on numbers drop a document, if they do. */
function decider(recipe: CorpusRecipe, chosen: ChosenThresholds, minScore?: number): (row: Measured) => string | undefined {
  const thresholdsOf = thresholdsFor(recipe, chosen);
  return ({ label, statistics, scores }) => {
    const thresholds = thresholdsOf(label);
    const numbers = statistics && unpackStatistics(statistics);
    for (const step of recipe.filters) {
      if (step.languages && !step.languages.includes(label)) continue;
      if (step.filter === "web-docs-score" && scores && scores[0]! < (minScore ?? step.minScore)) return "score-below-min";
      if (!numbers || !thresholds) continue;
      const decision =
        step.filter === "gopher-repetition"
          ? gopherRepetition.decide(numbers, thresholds.gopherRepetition)
          : step.filter === "fineweb-quality"
            ? finewebQuality.decide(numbers, thresholds.finewebQuality)
            : step.filter === "gopher-quality"
              ? gopherQuality.decide(numbers, thresholds.gopherQuality)
              : undefined;
      if (decision && !decision.kept) return decision.reason;
    }
    return undefined;
  };
}

const GROUPS = ["gopherRepetition", "finewebQuality", "gopherQuality"] as const;

/** A copy of the run's thresholds with `[LABEL.]GROUP.THRESHOLD=NUMBER` applied, to one language or all; null turns a threshold off. */
export function changeThresholds(
  thresholds: Readonly<Record<string, LanguageThresholds>>,
  changes: readonly string[],
): Record<string, LanguageThresholds> {
  const changed = structuredClone(thresholds) as unknown as Record<string, Record<string, Record<string, number | null>>>;
  for (const change of changes) {
    const [, label, group = "", name = "", written = ""] = /^(?:(\w+_\w+)\.)?(\w+)\.(\w+)=(.+)$/.exec(change) ?? [];
    const at = `--set ${change}`;
    if (!(GROUPS as readonly string[]).includes(group)) {
      const near = nearest(group, GROUPS);
      throw new FieldError("REPLAY_SET", {
        at,
        expected: `[LABEL.]GROUP.THRESHOLD=NUMBER, GROUP one of ${GROUPS.join(", ")}`,
        ...(near ? { todo: `did you mean ${near}?` } : {}),
      });
    }
    const value = written === "null" ? null : Number(written);
    if (Number.isNaN(value)) throw new FieldError("REPLAY_SET", { at, expected: "a number or null", received: written });
    const labels = label === undefined ? Object.keys(changed) : [label];
    for (const one of labels) {
      const known = changed[one]?.[group];
      if (!known)
        throw new FieldError("REPLAY_SET", {
          at,
          expected: `a language with thresholds: ${Object.keys(changed).join(", ")}`,
          received: one,
        });
      if (!(name in known)) {
        const near = nearest(name, Object.keys(known));
        throw new FieldError("REPLAY_SET", {
          at,
          expected: `a threshold of ${group}: ${Object.keys(known).join(", ")}`,
          ...(near ? { todo: `did you mean ${near}?` } : {}),
        });
      }
      known[name] = value;
    }
  }
  return Object.fromEntries(Object.entries(changed).map(([label, one]) => [label, languageThresholdsSchema.parse(one)]));
}
