export * from "./average-precision.ts";
export * from "./evaluate-retrieval.ts";
export * from "./hits-at.ts";
export * from "./ndcg.ts";
export { type DocumentScores, type Judgements, rank } from "./ranking.ts";
export * from "./reciprocal-rank.ts";
