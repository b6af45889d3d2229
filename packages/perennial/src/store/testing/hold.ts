/** For tests that kill a process: holds a run, or a run's folder, until it dies. Arguments: `run | folder`, store, folder. */
import { lockRunFolder } from "../run-lock.ts";
import { openStore } from "../store.ts";

const [what, store, folder] = process.argv.slice(2) as [string, string, string];
if (what === "folder") lockRunFolder(folder);
else {
  const recorder = openStore(store, { mode: "write" }).start({
    name: "held",
    variant: "main",
    recipe: {},
    recipeText: "",
    seed: 1,
    versions: {},
    hardware: {},
    folder,
  });
  recorder.metrics(1, { loss: 5 });
  recorder.flush();
}
console.log("ready");
setInterval(() => {}, 1000);
