export * from "./exact-match.ts";
export { type AnswerNormalization, normalizeAnswer } from "./normalize-answer.ts";
export * from "./token-f1.ts";
