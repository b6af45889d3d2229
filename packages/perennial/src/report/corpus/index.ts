export { type CorpusReportData, type CorpusReportOptions, collectCorpus, type SampleText } from "./collect.ts";
export { corpusPage } from "./page.ts";
