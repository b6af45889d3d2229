/**
 * The robots.txt files that a recipe names, as a filter: those among the records of WARC files (any response whose address ends in
 * /robots.txt), and folders with a file HOST.txt for each host.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { FieldError } from "../../errors.ts";
import type { Filter } from "../filter/index.ts";
import { robots } from "../robots/index.ts";
import { readWarc } from "../warc/index.ts";
import { parseHttp } from "../warc/page.ts";
import type { CorpusRecipe } from "./recipe.ts";

export async function robotsFilter({ files, agents }: NonNullable<CorpusRecipe["robots"]>): Promise<Filter> {
  const texts = new Map<string, string>();
  for (const path of files) {
    const before = texts.size;
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      for (const name of readdirSync(path).sort())
        if (name.endsWith(".txt")) texts.set(basename(name, ".txt"), readFileSync(join(path, name), "utf8"));
    } else
      for await (const item of readWarc(path)) {
        if (!("record" in item) || item.record.type !== "response") continue;
        const address = item.record.headers.get("warc-target-uri")?.replace(/^<(.*)>$/, "$1") ?? "";
        const http = parseHttp(item.record.payload);
        if (!URL.canParse(address) || new URL(address).pathname !== "/robots.txt" || !http || http.status > 299) continue;
        texts.set(new URL(address).host, Buffer.from(http.body).toString("utf8"));
      }
    if (texts.size === before)
      throw new FieldError("CORPUS_ROBOTS", { at: path, expected: "a WARC file with robots.txt records, or a folder of HOST.txt files" });
  }
  return robots({ files: Object.fromEntries(texts), agents: [...agents] });
}
