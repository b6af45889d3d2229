export { AhoCorasick } from "./aho-corasick.ts";
export { type Bound, type BoundTable, defineBounds, type StatisticsFilter, type Thresholds } from "./bounds.ts";
export { c4BadWords, c4BadWordsSchema } from "./c4-bad-words.ts";
export { c4Paragraph, c4ParagraphSchema } from "./c4-paragraph.ts";
export { c4Quality, c4QualitySchema } from "./c4-quality.ts";
export {
  applyFilters,
  type Decision,
  type Drop,
  type DropRecord,
  defineFilter,
  drop,
  type Filter,
  type Keep,
  keep,
  type Outcome,
} from "./define.ts";
export { finewebQuality } from "./fineweb-quality.ts";
export { gopherQuality } from "./gopher-quality.ts";
export { gopherRepetition } from "./gopher-repetition.ts";
export { secrets, secretsSchema } from "./secrets.ts";
export { englishProfile, type Statistics, type StatisticsProfile, statistics } from "./statistics.ts";
export { urlFilter, urlFilterSchema } from "./url-filter.ts";
export { parseList } from "./word-list.ts";
