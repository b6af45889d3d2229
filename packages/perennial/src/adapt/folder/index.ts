/** Model folders written tensor by tensor, whole or not at all. */
export { copyCarried } from "./carried.ts";
export { checkOutput, type OutputOptions, writeWhole } from "./output.ts";
export { bytesOf, type OutputTensor, planShards, type Shards, shardsOf, writeWeights } from "./weights.ts";
