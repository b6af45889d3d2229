/** One run of our pipeline over a folder of WARC files; prints its times as JSON. Called by pipeline.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCorpus } from "../../packages/perennial/src/corpus/run/index.ts";

const [crawl, model] = process.argv.slice(2) as [string, string];
const folder = mkdtempSync(join(tmpdir(), "bench-pipeline-ours-"));
const cpu = () => process.cpuUsage().user + process.cpuUsage().system;
const [started, startedCpu] = [performance.now(), cpu()];
// English thresholds for all, as the peer has them; personal data stays, since the peer's chain leaves it.
const { documents } = await runCorpus(folder, {
  inputs: [crawl],
  identify: { model },
  thresholds: { missing: "english" },
  anonymize: null,
  repair: { mojibake: false, symbolLines: false },
});
console.log(
  JSON.stringify({
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (cpu() - startedCpu) / 1e6,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    documents,
  }),
);
rmSync(folder, { recursive: true });
