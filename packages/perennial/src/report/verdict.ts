/** What the numbers say, in one sentence per finding. Pure, and careful: only what was measured is said. */

import type { CorpusScores, ReportData, RunReport } from "./data.ts";
import { number, signed } from "./figures.ts";

/** Changes below this are called none: the noise of a small held-out set, in bits per byte. */
export const NOTICEABLE = 0.005;

/** Corpora that got better and corpora that got worse, in one run. */
export function verdicts({ runs }: ReportData): string[] {
  const [main, ...others] = runs;
  if (main === undefined) return [];
  return [sentence(main), ...others.map(sentence)].filter((text) => text !== "");
}

function sentence({ variant, scores }: RunReport): string {
  const measured = scores.filter(({ change }) => Number.isFinite(change));
  if (measured.length === 0) return "";
  const better = measured.filter(({ change, changeHigh }) => change < -NOTICEABLE && !(changeHigh >= 0));
  const worse = measured.filter((score) => fallenBack(score) > NOTICEABLE && !withinNoise(score));
  const same = measured.filter((score) => !better.includes(score) && !worse.includes(score));
  const parts = [
    better.length > 0 ? `learned ${listed(better, learned)}` : "learned nothing",
    worse.length > 0 ? `forgot ${listed(worse, forgot)}` : "forgot nothing",
    ...(same.length > 0 ? [`kept ${same.map(({ corpus }) => corpus).join(" and ")}`] : []),
  ];
  return `${variant} ${parts.join(", ")}.`;
}

const learned = ({ corpus, before, after }: CorpusScores) => `${corpus} (${number(before)} → ${number(after)})`;
const forgot = (score: CorpusScores) =>
  `${score.corpus} (${signed(fallenBack(score))}${fallenBack(score) > score.change + NOTICEABLE ? " since its best" : ""})`;

/** The last value is the worst since before the run, by less than the same documents can tell. */
const withinNoise = (score: CorpusScores) => score.changeLow <= 0 && fallenBack(score) <= Math.max(score.change, NOTICEABLE);

/** How much worse the last value is than the best before it: what one stage taught, the next may undo. */
function fallenBack({ points, change }: CorpusScores): number {
  const stageEnds = points.filter(({ moment }) => moment !== "during").map(({ value }) => value);
  const last = points.at(-1)?.value ?? Number.NaN;
  const earlier = stageEnds.slice(0, points.at(-1)?.moment === "during" ? undefined : -1).filter(Number.isFinite);
  return earlier.length === 0 || !Number.isFinite(last) ? change : last - Math.min(...earlier);
}

const listed = (scores: readonly CorpusScores[], words: (score: CorpusScores) => string) => scores.map(words).join(" and ");
