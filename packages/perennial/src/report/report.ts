/** A report of one run with its baselines, or of any runs side by side: HTML, Markdown and JSON from the same data. */
import type { Run, Store } from "../store/index.ts";
import { collectReport, type ReportData } from "./data.ts";
import { markdownReport } from "./markdown.ts";
import { htmlReport } from "./page.ts";

export interface Report {
  data: ReportData;
  html: string;
  markdown: string;
  json: string;
}

/** The run and what ran in the same call, the main variant first. */
export function reportOf(store: Store, run: Run): Report {
  const family = store.runs.family(run.family);
  const isMain = ({ variant }: Run) => variant === "main";
  return compareRuns(store, [...family.filter(isMain), ...family.filter((one) => !isMain(one))]);
}

export function compareRuns(store: Store, runs: readonly Run[]): Report {
  const data = collectReport(store, distinguished(runs));
  // JSON has no not-a-number; null says the same: not measured.
  return { data, html: htmlReport(data), markdown: markdownReport(data), json: `${JSON.stringify(data, null, 2)}\n` };
}

/** Runs of different recipes may share the name of a variant; then their ids tell them apart. */
function distinguished(runs: readonly Run[]): Run[] {
  const variants = runs.map(({ variant }) => variant);
  return new Set(variants).size === runs.length ? [...runs] : runs.map((run) => ({ ...run, variant: run.id }));
}
