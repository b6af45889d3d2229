/** What happens to an item before its language is looked at: urls, robots → extract → license → repair. */
import { PerennialError } from "../../errors.ts";
import type { Document } from "../document.ts";
import { decodePage, extractText } from "../extract/index.ts";
import { type Filter, urlFilter } from "../filter/index.ts";
import { repairMojibake } from "../repair/index.ts";
import { license } from "../robots/index.ts";
import type { Page } from "../warc/index.ts";
import { countDropped, countKept, type Funnel, textBytes } from "./counts.ts";
import type { DropReason } from "./drops.ts";
import { expandLists } from "./lists.ts";
import type { CorpusPlan } from "./plan.ts";
import type { Item } from "./read-items.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { robotsFilter } from "./robots-rules.ts";
import type { Shard } from "./shards.ts";

/** What is left of them after the repair is nothing that can be read. */
const C1_CONTROLS = /[\x80-\x9f]/g;

export type ReadResult =
  | { readonly document: Document }
  /** Without a document: what came was no page at all, which is counted only. */
  | { readonly dropped: DropReason; readonly step: string; readonly document?: Document }
  | { readonly failed: string; readonly place: { readonly file: string; readonly id: string } };

export type ReadSteps = (item: Exclude<Item, { rejection: unknown }>) => ReadResult;

/** One thread keeps the filters of one recipe. */
let opened: { readonly recipe: string; readonly urls: Filter; readonly robots?: Filter | undefined } | undefined;

async function filtersOf(recipe: CorpusRecipe) {
  const key = JSON.stringify([recipe.urls, recipe.robots]);
  if (opened?.recipe !== key)
    opened = {
      recipe: key,
      urls: urlFilter(expandLists(recipe.urls)),
      robots: recipe.robots ? await robotsFilter(recipe.robots) : undefined,
    };
  return opened;
}

export async function openReadSteps({ recipe }: CorpusPlan, shard: Shard, funnel: Funnel): Promise<ReadSteps> {
  const { urls, robots } = await filtersOf(recipe);
  const licenses = recipe.license ? license(recipe.license) : undefined;

  return (item) => {
    try {
      return steps(item);
    } catch (error) {
      if (error instanceof PerennialError) throw error;
      const id = "document" in item ? item.document.id : "page" in item ? item.page.id : shard.path;
      return { failed: error instanceof Error ? error.message : String(error), place: { file: shard.path, id } };
    }
  };

  function steps(item: Parameters<ReadSteps>[0]): ReadResult {
    if ("none" in item) {
      countDropped(funnel, "read", item.none, item.recordBytes);
      return { dropped: { reason: item.none }, step: "read" };
    }
    const isPage = "page" in item;
    let document = isPage ? documentOf(item.page, shard) : item.document;
    const bytes = isPage ? item.page.body.length : textBytes(document.text);
    countKept(funnel, "read", isPage ? item.recordBytes : bytes, bytes);
    const barred = judge("urls", urls, document, bytes) ?? (robots && judge("robots", robots, document, bytes));
    if (barred) return barred;
    if (isPage) {
      const extracted = extractPage(document, item.page, recipe);
      if (typeof extracted === "string") {
        countDropped(funnel, "extract", extracted, bytes);
        return { dropped: { reason: extracted }, step: "extract", document };
      }
      document = extracted;
    }
    const length = textBytes(document.text);
    const unfit = document.text.trim() === "" ? "empty-text" : length > recipe.reading.maxTextBytes ? "text-too-long" : undefined;
    if (unfit !== undefined) {
      countDropped(funnel, "extract", unfit, bytes);
      return { dropped: { reason: unfit, value: length }, step: "extract", document };
    }
    countKept(funnel, "extract", bytes, length);
    const unlicensed = licenses && judge("license", licenses, document, length);
    if (unlicensed) return unlicensed;
    const repaired = (recipe.repair.mojibake ? repairMojibake(document.text) : document.text).replace(C1_CONTROLS, "");
    if (recipe.repair.mojibake) countKept(funnel, "repair", length, textBytes(repaired));
    if (repaired !== document.text) document = { ...document, text: repaired };
    return {
      document: recipe.crawl === undefined ? document : { ...document, provenance: { ...document.provenance, crawl: recipe.crawl } },
    };
  }

  function judge(step: string, { decide }: Filter, document: Document, bytes: number): ReadResult | undefined {
    const decision = decide(document);
    if (decision.kept) {
      countKept(funnel, step, bytes);
      return undefined;
    }
    const { kept: _, ...dropped } = decision;
    countDropped(funnel, step, decision.reason, bytes);
    return { dropped: { ...dropped }, step, document };
  }
}

function extractPage(bare: Document, page: Page, recipe: CorpusRecipe): Document | string {
  if (page.kind === "text") {
    const { text, encoding } = decodePage(page.body, page.contentType);
    const lines = text.replace(/\r\n?/g, "\n").replace(/\p{Cs}/gu, "\ufffd");
    return { ...bare, text: lines.trim(), provenance: { ...bare.provenance, encoding } };
  }
  const found = extractText(page.body, page.contentType, recipe.extract);
  if (typeof found === "string") return found;
  const { text, title, htmlLanguage, license: stated, encoding, cut } = found;
  return {
    ...bare,
    text,
    provenance: { ...bare.provenance, encoding, ...(stated === undefined ? {} : { license: stated }) },
    metadata: {
      ...(title === undefined ? {} : { title }),
      ...(htmlLanguage === undefined ? {} : { htmlLanguage }),
      ...(page.truncated ? { truncated: true } : {}),
      ...(cut.length === 0 ? {} : { cut }),
    },
  };
}

const documentOf = (page: Page, shard: Shard): Document => ({
  id: page.id,
  text: "",
  ...(page.url === undefined ? {} : { url: page.url }),
  provenance: {
    file: shard.kind === "pages" ? page.id : shard.path,
    offset: page.offset,
    ...(page.sizeBytes === undefined ? {} : { sizeBytes: page.sizeBytes }),
    ...(page.date === undefined ? {} : { date: page.date }),
    ...(page.contentType === undefined ? {} : { contentType: page.contentType }),
  },
  metadata: {},
  annotations: {},
});
