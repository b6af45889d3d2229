/** The verbs of `perennial corpus`, in the order of their use. A new one is a file in `corpus/` and a row here. */
import { type Verb, verb } from "../verb.ts";
import deduplicate from "./corpus/deduplicate.ts";
import demo from "./corpus/demo.ts";
import extract from "./corpus/extract.ts";
import filter from "./corpus/filter.ts";
import forecast from "./corpus/forecast.ts";
import identify from "./corpus/identify.ts";
import inspect from "./corpus/inspect.ts";
import precision from "./corpus/precision.ts";
import replay from "./corpus/replay.ts";
import report from "./corpus/report.ts";
import run from "./corpus/run.ts";
import selectTasks from "./corpus/select-tasks.ts";
import thresholds from "./corpus/thresholds.ts";

const inner: readonly (readonly [name: string, summary: string, define: Verb])[] = [
  ["demo", "see on a small crawl how well each step works", demo],
  ["run", "run a corpus recipe, or plan it with --dry-run", run],
  ["forecast", "tell memory, disk and time before a run", forecast],
  ["inspect", "browse what was dropped, and why", inspect],
  ["replay", "decide again under other thresholds, from stored numbers", replay],
  ["report", "write the page of a corpus: funnel, languages, thresholds, samples", report],
  ["extract", "main text of pages", extract],
  ["identify", "languages of documents, and the scores to ask for", identify],
  ["filter", "quality filters over documents", filter],
  ["deduplicate", "near or exact duplicates, also against earlier corpora", deduplicate],
  ["thresholds", "carry filter thresholds over from English to other languages", thresholds],
  ["precision", "words that tell a low-resource language from its neighbors", precision],
  ["select-tasks", "which evaluation tasks tell corpora apart", selectTasks],
];

export const corpusVerbs: readonly string[] = inner.map(([name]) => name);

export default verb((command, effects) => {
  for (const [name, summary, define] of inner) define(command.command(name).description(summary), effects);
});
