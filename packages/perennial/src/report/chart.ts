/**
 * Line charts as SVG, drawn by ECharts without a browser. Each is drawn twice, for a wide and for a narrow screen, so that its text keeps
 * its size on a phone. Colors are those of the page (CSS variables), so a chart follows the reader's light or dark theme. The plot area is
 * fixed, so the page's script can read values off under the pointer from the numbers beside the picture.
 */
import { LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { niceAxis, number } from "./figures.ts";
import { html, type Markup, trusted } from "./html.ts";

export interface Line {
  label: string;
  /** Index of the page's palette. */
  color: number;
  /** Ascending. */
  x: readonly number[];
  y: readonly number[];
  /** Bounds of intervals, drawn as bars through the points; not-a-number: no bar. */
  low?: readonly number[];
  high?: readonly number[];
  /** Drawn faintly behind the line: the numbers before smoothing. */
  raw?: readonly number[];
  dashed?: boolean;
  stacked?: boolean;
  dots?: boolean;
  /** Points without a line between them: measurements beside a curve. */
  unjoined?: boolean;
}

export interface ChartSpec {
  title: string;
  /** Quantity and unit. */
  x: string;
  y: string;
  lines: readonly Line[];
  /** Vertical marks, e.g. where a stage begins. */
  marks?: readonly { x: number; label: string }[];
  yFromZero?: boolean;
  yMax?: number;
  height?: number;
}

const WIDTHS = { wide: 860, narrow: 400 } as const;
const PLOT = { left: 52, right: 14, top: 20, bottom: 28 } as const;
export const PALETTE_SIZE = 6;

/** ECharts wants colors it can parse; the page has variables. So each variable is drawn as a color of its own and renamed in the end. */
const STAND_INS: Record<string, string> = {
  "#000001": "var(--ink)",
  "#000002": "var(--faint)",
  "#000003": "var(--grid)",
  ...Object.fromEntries(Array.from({ length: PALETTE_SIZE }, (_, i) => [`#00001${i}`, `var(--c${i})`])),
};
const INK = "#000001";
const FAINT = "#000002";
const GRID = "#000003";
const colorOf = (index: number) => `#00001${index % PALETTE_SIZE}`;

let registered = false;

export function chart(spec: ChartSpec): Markup {
  const axes = axesOf(spec);
  const height = spec.height ?? 260;
  const plot = {
    ...PLOT,
    height,
    x: axes.x,
    y: axes.y,
    lines: spec.lines.map(({ label, color, x, y }) => ({ label, color, x, y: y.map(short) })),
  };
  return html`<figure class="chart" data-plot="${JSON.stringify(plot)}">
<figcaption><span>${spec.title} <small>${spec.y} over ${spec.x}</small></span><span class="legend">${legend(spec.lines)}</span></figcaption>
${Object.entries(WIDTHS).map(([name, width]) => html`<div class="plot ${name}">${trusted(draw(spec, axes, width, height))}</div>`)}
<output></output></figure>`;
}

/** A picture of its own, in the light colors: for files that no page surrounds. */
export function standaloneSvg(spec: ChartSpec): string {
  const colors: Record<string, string> = { ink: "#22302a", faint: "#6d7a72", grid: "#e4e5de" };
  const palette = ["#1b7f5c", "#c8643a", "#3b6fb6", "#b58a1d", "#8257b5", "#56645d"];
  const svg = draw(spec, axesOf(spec), WIDTHS.wide, spec.height ?? 260);
  return svg.replace(/var\(--(\w+)\)/g, (_, name: string) => colors[name] ?? palette[Number(name.slice(1))]!);
}

function legend(lines: readonly Line[]): Markup[] {
  const named = lines.filter(({ label }, i) => lines.findIndex((line) => line.label === label) === i);
  return named.map(
    ({ label, color, dashed }) =>
      html`<span class="key"><i class="${dashed ? "dash" : ""}" style="--c:var(--c${color % PALETTE_SIZE})"></i>${label}</span>`,
  );
}

interface Axes {
  x: { min: number; max: number; interval: number };
  y: { min: number; max: number; interval: number };
}

function axesOf({ lines, yFromZero = false, yMax, marks = [] }: ChartSpec): Axes {
  const xs = [...lines.flatMap(({ x }) => x), ...marks.map(({ x }) => x)].filter(Number.isFinite);
  const ys = lines.flatMap(({ y, low = [], high = [] }) => [...y, ...low, ...high]).filter(Number.isFinite);
  const x = niceAxis(minOf(xs), maxOf(xs), 8);
  const y = niceAxis(yFromZero ? 0 : minOf(ys), yMax ?? maxOf(ys), 4);
  // A line that begins at step 3 of a thousand still has its axis from 0.
  const min = minOf(xs) > 0 && minOf(xs) < 0.1 * maxOf(xs) ? 0 : minOf(xs);
  return { x: { ...x, min, max: maxOf(xs) > min ? maxOf(xs) : min + 1 }, y };
}

const minOf = (values: readonly number[]) => values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
const maxOf = (values: readonly number[]) => values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);

function draw(spec: ChartSpec, { x, y }: Axes, width: number, height: number): string {
  if (!registered) echarts.use([LineChart, GridComponent, MarkLineComponent, SVGRenderer]);
  registered = true;
  const instance = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  const axis = { axisLabel: { color: FAINT, fontSize: 11 }, axisTick: { show: false } };
  instance.setOption({
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: PLOT.left, right: PLOT.right, top: PLOT.top, bottom: PLOT.bottom },
    xAxis: {
      type: "value",
      ...axis,
      min: x.min,
      max: x.max,
      interval: width < 500 ? x.interval * 2 : x.interval,
      axisLine: { lineStyle: { color: GRID } },
      axisLabel: { ...axis.axisLabel, formatter: compact, showMinLabel: true, showMaxLabel: false, hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      ...axis,
      min: y.min,
      max: y.max,
      interval: y.interval,
      axisLabel: { ...axis.axisLabel, formatter: compact },
      splitLine: { lineStyle: { color: GRID } },
    },
    series: spec.lines.flatMap((line, i) => seriesOf(line, i === 0 ? (spec.marks ?? []) : [])),
  });
  const svg = instance.renderToSVGString({ useViewBox: true });
  instance.dispose();
  return Object.entries(STAND_INS).reduce((text, [color, variable]) => text.replaceAll(color, variable), svg);
}

function seriesOf(line: Line, marks: readonly { x: number; label: string }[]) {
  const color = colorOf(line.color);
  const points = (values: readonly number[]) => line.x.map((x, i) => [x, Number.isFinite(values[i]) ? values[i]! : "-"]);
  const plain = { type: "line" as const, symbol: "none", silent: true, itemStyle: { color } };
  const raw = line.raw === undefined ? [] : [{ ...plain, data: points(line.raw), lineStyle: { color, width: 1, opacity: 0.22 } }];
  // A bar is a line of two points; the gap behind it keeps the bars apart.
  const { low = [], high = [] } = line;
  const bars = line.x.flatMap((x, i) =>
    Number.isFinite(low[i]) && Number.isFinite(high[i])
      ? [
          [x, low[i]!],
          [x, high[i]!],
          [x, "-"],
        ]
      : [],
  );
  const interval = bars.length === 0 ? [] : [{ ...plain, data: bars, lineStyle: { color, width: 5, opacity: 0.3 } }];
  const shown = {
    ...plain,
    data: points(line.y),
    lineStyle: { color, width: line.dashed ? 1.5 : 2, type: line.dashed ? [5, 4] : ("solid" as const) },
    ...(line.unjoined ? { lineStyle: { color, width: 0 } } : {}),
    ...(line.dots || line.unjoined ? { symbol: "circle", symbolSize: 6, showAllSymbol: true } : {}),
    ...(line.stacked ? { stack: "shares", areaStyle: { color, opacity: 0.55 }, lineStyle: { color, width: 0 } } : {}),
    ...(marks.length === 0 ? {} : { markLine: markLine(marks) }),
  };
  return [...raw, ...interval, shown];
}

function markLine(marks: readonly { x: number; label: string }[]) {
  return {
    symbol: "none",
    silent: true,
    lineStyle: { color: FAINT, type: [2, 4], width: 1 },
    label: { color: FAINT, fontSize: 11, position: "insideEndTop", distance: 4, formatter: ({ name }: { name: string }) => name },
    data: marks.map(({ x, label }) => ({ xAxis: x, name: label, label: { rotate: 0, align: "left", padding: [0, 0, 0, 6], color: INK } })),
  };
}

/** Axis labels: 1.5M, 2k, 0.25, 3e-4. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${round(value / 1e9)}G`;
  if (size >= 1e6) return `${round(value / 1e6)}M`;
  if (size >= 1e4) return `${round(value / 1e3)}k`;
  if (size !== 0 && size < 1e-2) return value.toExponential(1).replace(".0e", "e").replace("-", "−");
  return number(value, 3).replace(/\.?0+$/, "");
}

const round = (value: number) => String(Number(value.toPrecision(3)));
const short = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);
