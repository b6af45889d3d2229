#!/usr/bin/env node
import { main } from "./cli.ts";
import { processEffects } from "./effects.ts";

// A reader that has seen enough (`perennial runs | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.exitCode = await main(process.argv.slice(2), processEffects());
