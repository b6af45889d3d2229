#!/usr/bin/env node
// Committed, so that npm can link the command before anything is built; `setup` needs nothing but this package's setup/.
await import(process.argv[2] === "setup" ? "../setup/main.mjs" : "../dist/bin.js");
