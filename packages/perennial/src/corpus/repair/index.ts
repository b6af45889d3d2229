export { repairMojibake } from "./mojibake.ts";
export { collapseSymbolLines } from "./symbol-lines.ts";
