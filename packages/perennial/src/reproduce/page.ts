/** What was seen, as a page: the command, the arms' measurements with intervals, the claims with their verdicts, the charts. */
import { type ChartSpec, duration, type Line, number, PALETTE_SIZE, signed, standaloneSvg } from "../report/index.ts";
import type { ChartText, Reproduction } from "./reproduction.ts";
import type { CellRecord, JudgedClaim, Outcome } from "./run.ts";
import { interval } from "./verdict.ts";

export interface Page {
  readonly markdown: string;
  /** File name → SVG; the page shows them from `images/`. */
  readonly images: ReadonlyMap<string, string>;
}

/** Below this line a page is written by people; it is kept when the page is made again. */
export const NOTES_MARK = "<!-- Below: written by hand, kept when this page is made again. -->";

export function resultPage(reproduction: Reproduction, outcome: Outcome, { command, notes }: { command: string; notes?: string }): Page {
  const { name, title, source, setup } = reproduction;
  const images = new Map(
    reproduction.charts.flatMap((text) => {
      const spec = chartOf(text, reproduction, outcome);
      return spec === undefined ? [] : [[`${name}-${text.curve}.svg`, standaloneSvg(spec)] as const];
    }),
  );
  const pictures = reproduction.charts
    .filter(({ curve }) => images.has(`${name}-${curve}.svg`))
    .map((text) => {
      const spec = chartOf(text, reproduction, outcome)!;
      return `![${text.title}: ${text.y} over ${text.x}](images/${name}-${text.curve}.svg)\n\n${text.title}: ${text.y} over ${text.x}. ${legend(spec.lines)}`;
    });
  const sections = [
    `# ${title}`,
    `\`\`\`sh\n${command}\n\`\`\``,
    `Source: ${source}. The method: [${name}](../methods/${name}.md).`,
    setup,
    whatRan(outcome),
    `## Claims\n\n${claimTable(outcome)}\n\n${CLAIM_NOTE}`,
    `## Measurements\n\n${armTable(reproduction, outcome)}\n\n${armNote(outcome)}`,
    ...(pictures.length === 0 ? [] : [`## Over training\n\n${pictures.join("\n\n")}`]),
    `${NOTES_MARK}${notes === undefined ? "" : `\n\n${notes.trim()}`}`,
  ];
  return { markdown: `${sections.join("\n\n")}\n`, images };
}

/** What a person wrote on an earlier page. */
export function notesOf(markdown: string): string | undefined {
  const at = markdown.indexOf(NOTES_MARK);
  const notes = at < 0 ? "" : markdown.slice(at + NOTES_MARK.length).trim();
  return notes === "" ? undefined : notes;
}

const CLAIM_NOTE =
  "The value is the mean over seeds of a difference between arms of the same seed. The 95 % interval (Student's t) counts seeds and, where the value " +
  "comes from held-out text, its documents. **Held**: the whole interval is where the claim wants it; **did not hold**: none of it is; otherwise " +
  "the runs were too few or too short to say.";

function whatRan({ seeds, cells, settings }: Outcome): string {
  const seconds = cells.reduce((sum, cell) => sum + cell.seconds, 0);
  const { cpu, threads, libtorch } = cells[0]?.hardware ?? {};
  return (
    `${cells.length} runs, seeds ${seeds.join(", ")}, a decoder of hidden size ${settings.width}, ` +
    `${settings.tokens === 1 ? "the full" : `${settings.tokens} of the`} budget; ${duration(seconds * 1000)} of computing on ${cpu}, ` +
    `${threads} ${threads === 1 ? "thread" : "threads"}, libtorch ${libtorch}.`
  );
}

function claimTable({ claims }: Outcome): string {
  return table(
    ["claim", "measured as", "expected", "seen (95 %)", "verdict"],
    claims.map(({ statement, quantity, unit, expect, estimate, verdict }) => [
      statement,
      withUnit(quantity, unit),
      "above" in expect ? `> ${number(expect.above, digitsOf(expect.above))}` : `within ±${number(expect.within, digitsOf(expect.within))}`,
      withInterval(estimate, signed),
      verdict === "held" ? "**held**" : verdict,
    ]),
  );
}

function armTable({ arms, measurements }: Reproduction, outcome: Outcome): string {
  const present = arms.filter(({ name }) => outcome.cells.some(({ arm }) => arm === name));
  return table(
    ["", ...measurements.map(({ label, unit }) => withUnit(label, unit))],
    present.map(({ name, label }) => [
      label,
      ...measurements.map(({ key, digits = 3 }) => {
        const values = valuesOf(outcome.cells, name, key);
        return values.length === 0 ? "–" : withHalf(interval(values), digits);
      }),
    ]),
  );
}

const armNote = ({ seeds }: Outcome) =>
  `Mean over ${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"}${seeds.length === 1 ? "" : " ± half of the 95 % interval over seeds"}. Bits per byte: lower is better.`;

const withUnit = (label: string, unit: string) => (unit === "" ? label : `${label}, ${unit}`);

const valuesOf = (cells: readonly CellRecord[], arm: string, key: string) =>
  cells
    .filter((cell) => cell.arm === arm)
    .flatMap(({ cell }) => (Number.isFinite(cell.measurements[key]) ? [cell.measurements[key]!] : []));

function withHalf({ value, high }: { value: number; high: number }, digits: number): string {
  return Number.isFinite(high) ? `${number(value, digits)} ± ${number(high - value, digits)}` : number(value, digits);
}

export function withInterval({ value, low, high }: JudgedClaim["estimate"], format: (value: number) => string): string {
  return Number.isFinite(low) ? `${format(value)} (${format(low)} … ${format(high)})` : format(value);
}

const digitsOf = (value: number) => Math.max(1, (String(value).split(".")[1] ?? "").length) * (Number.isInteger(value) ? 0 : 1);

/** One line per arm: the mean over seeds of the curve, where all seeds have the same points. */
function chartOf(text: ChartText, { arms }: Reproduction, { cells, settings }: Outcome): ChartSpec | undefined {
  const shown = arms.filter(({ name }) => text.arms?.includes(name) ?? true);
  const lines = shown.flatMap(({ name, label }, i): Line[] => {
    const curves = cells.filter(({ arm }) => arm === name).flatMap(({ cell }) => cell.curves?.[text.curve] ?? []);
    const [first] = curves;
    if (first === undefined) return [];
    const same = curves.filter(({ x }) => x.length === first.x.length);
    const y = first.x.map((_, k) => same.reduce((sum, curve) => sum + (curve.y[k] ?? Number.NaN), 0) / same.length);
    return [{ label, color: i % PALETTE_SIZE, x: first.x, y, dashed: i >= PALETTE_SIZE, ...(first.x.length <= 12 ? { dots: true } : {}) }];
  });
  if (lines.length === 0) return undefined;
  return { title: text.title, x: text.x, y: text.y, lines, ...(text.marks === undefined ? {} : { marks: text.marks(settings) }) };
}

const COLOR_NAMES = ["green", "orange", "blue", "ochre", "violet", "gray"] as const;

/** A picture by itself has no legend: its lines are named below it. */
const legend = (lines: readonly Line[]) =>
  lines.map(({ label, color, dashed }) => `${COLOR_NAMES[color % PALETTE_SIZE]}${dashed ? ", dashed" : ""}: ${label}`).join("; ");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
