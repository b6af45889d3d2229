#!/usr/bin/env node
/** `perennial-torch doctor`: the engine alone, without the language-model workflow. `setup` lies outside of src: it comes before everything else. */
const [verb, ...rest] = process.argv.slice(2);
if (verb === "doctor") {
  try {
    // Loaded here, so that a missing libtorch is told in one sentence.
    const { diagnose, formatDiagnosis } = await import("./doctor.ts");
    const diagnosis = diagnose();
    console.log(rest.includes("--json") ? JSON.stringify(diagnosis, null, 2) : formatDiagnosis(diagnosis));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
} else {
  console.log(`usage: perennial-torch setup             finds or fetches libtorch and compiles the addon against it (--help: options)
       perennial-torch doctor [--json]   describes the libtorch in use, measures it and warns`);
  process.exitCode = verb === "--help" ? 0 : 2;
}
