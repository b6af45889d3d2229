export { type ChartSpec, chart, type Line, PALETTE_SIZE, standaloneSvg } from "./chart.ts";
export { type CorpusScores, collectReport, type LineageEntry, type ReportData, type RunReport } from "./data.ts";
export { changeText, duration, number, signed } from "./figures.ts";
export { markdownReport, outcomeTable } from "./markdown.ts";
export { htmlPage } from "./page.ts";
export { compareRuns, type Report, reportOf } from "./report.ts";
export { verdicts } from "./verdict.ts";
