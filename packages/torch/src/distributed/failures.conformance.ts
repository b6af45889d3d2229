/** One process that gets into trouble: prints the error's message and how long it took to come. */
import { distributed, setNumThreads, torch } from "../index.ts";

setNumThreads(1);
const [scenario] = process.argv.slice(2);
const victim = 1;

async function trouble(): Promise<void> {
  const group = await distributed.initProcessGroup({
    timeoutSeconds: scenario === "late" ? 2 : 60,
    connectTimeoutSeconds: scenario === "alone" ? 1 : 60,
  });
  const { rank } = group;
  group.allReduce(torch.ones([10]));
  start = performance.now();
  if (scenario === "killed" && rank === victim) process.kill(process.pid, "SIGKILL");
  if (scenario === "late" && rank === victim) await new Promise((done) => setTimeout(done, 5000));
  else for (let i = 0; i < 3; i++) await group.allReduceAsync(torch.ones([1_000_000]));
  group.destroy();
}

let start = performance.now();
try {
  await trouble();
} catch (error) {
  const { name, message } = error as Error;
  console.log(JSON.stringify({ name, message, seconds: (performance.now() - start) / 1000 }));
  process.exitCode = 7;
}
