/** One process that gets into trouble: prints the error's message and how long it took to come. */
import { distributed, setNumThreads, torch } from "../index.ts";

setNumThreads(1);
const [scenario, ...ports] = process.argv.slice(2);
const victim = 1;

interface Trouble {
  readonly name: string;
  readonly message: string;
  readonly seconds: number;
}

async function troubleOf(body: () => unknown): Promise<Trouble | undefined> {
  const start = performance.now();
  try {
    await body();
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message, seconds: (performance.now() - start) / 1000 };
  }
}

/** Each collective needs a group of its own: one whose operation timed out is of no more use. */
const calls: ((group: distributed.ProcessGroup) => unknown)[] = [
  (group) => group.allReduce(torch.ones([2])),
  (group) => group.allReduceAsync(torch.ones([2])),
  (group) => group.broadcastAsync(torch.ones([2]), victim),
  (group) => group.allGatherAsync(torch.ones([2])),
  (group) => group.gatherAsync(torch.ones([2])),
  (group) => group.reduceScatterAsync(torch.ones([2])),
  (group) => group.barrierAsync(),
];

/** The victim meets the other process and then does nothing; the other one calls. */
async function late(): Promise<void> {
  const troubles: (Trouble | undefined)[] = [];
  const place = { rank: Number(process.env.RANK), worldSize: 2, masterAddress: "127.0.0.1" };
  for (const [index, call] of calls.entries()) {
    const masterPort = Number(ports[index]);
    const group = await distributed.initProcessGroup({ ...place, masterPort, connectTimeoutSeconds: 60, timeoutSeconds: 0.5 });
    if (group.rank === victim) await new Promise((done) => setTimeout(done, 700));
    else troubles.push(await troubleOf(() => call(group)));
    group.destroy();
  }
  console.log(JSON.stringify(troubles));
}

async function killed(): Promise<void> {
  const group = await distributed.initProcessGroup({ timeoutSeconds: 60, connectTimeoutSeconds: scenario === "alone" ? 1 : 60 });
  group.allReduce(torch.ones([10]));
  if (scenario === "killed" && group.rank === victim) process.kill(process.pid, "SIGKILL");
  for (let i = 0; i < 3; i++) await group.allReduceAsync(torch.ones([1_000_000]));
  group.destroy();
}

if (scenario === "late") await late();
else {
  const trouble = await troubleOf(killed);
  console.log(JSON.stringify(trouble));
  process.exitCode = trouble === undefined ? 0 : 7;
}
