export { type NoPage, type Page, pageOf } from "./page.ts";
export type { WarcFlaw, WarcItem, WarcRecord, WarcRejection } from "./parser.ts";
export { MAX_RECORD_BYTES, parseWarcBytes, readWarc, type WarcOptions } from "./read.ts";
export { type WarcPage, warcRecord, warcResponse } from "./write.ts";
