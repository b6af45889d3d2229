export * from "./bucc.ts";
export { candidateMargins, type Margin } from "./margin.ts";
export * from "./mine.ts";
export * from "./neighbors.ts";
export * from "./xsim.ts";
