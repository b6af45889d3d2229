/** The verbs of `perennial corpus`, in the order of their use. A new one is a file in `corpus/` and a row here. */
import { type Verb, verb } from "../verb.ts";
import demo from "./corpus/demo.ts";
import report from "./corpus/report.ts";
import run from "./corpus/run.ts";

const inner: readonly (readonly [name: string, summary: string, define: Verb])[] = [
  ["demo", "see on a small crawl how well each step works", demo],
  ["run", "run a corpus recipe, or plan it with --dry-run", run],
  ["report", "write the page of a corpus: funnel, languages, thresholds, samples", report],
];

export const corpusVerbs: readonly string[] = inner.map(([name]) => name);

export default verb((command, effects) => {
  for (const [name, summary, define] of inner) define(command.command(name).description(summary), effects);
});
