/** One process of the test: ends with code 0 when everything holds. */
import assert from "node:assert/strict";
import { distributed, setNumThreads } from "../index.ts";
import { checkCollectives } from "./collectives.conformance.ts";
import { checkReducer } from "./reducer.conformance.ts";

setNumThreads(1);
const group = await distributed.initProcessGroup({ timeoutSeconds: 30, connectTimeoutSeconds: 60 });
await checkCollectives(group);
checkReducer(group);
group.destroy();
group.destroy();
assert.throws(() => group.barrier(), /was destroyed/);
console.log(`rank ${group.rank} done`);
