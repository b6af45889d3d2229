/**
 * Marks of robots.txt over a corpus: the rules of each host are known beforehand (the robots.txt records of the crawl), a document is
 * dropped when its URL is disallowed. Hosts are compared without a leading `www.`, and http with https. Unknown hosts are kept.
 * Common Crawl already obeys robots.txt; crawls of the Internet Archive do not.
 */
import { z } from "zod";
import { defineFilter, drop, keep } from "../filter/define.ts";
import { CRAWL_AGENTS, isDisallowed, parseRobots, type RobotsRules } from "./robots-txt.ts";

export const robotsSchema = z.strictObject({
  files: z.record(z.string(), z.string()).describe("text of robots.txt by host"),
  agents: z.array(z.string()).default([...CRAWL_AGENTS]),
});

export const robots = defineFilter("robots", robotsSchema, ({ files, agents }) => {
  const rules = new Map<string, RobotsRules>();
  for (const [host, text] of Object.entries(files)) rules.set(bareHost(host), parseRobots(text, agents));
  return ({ url }) => {
    if (url === undefined || !URL.canParse(url)) return keep;
    const { host, pathname, search } = new URL(url);
    const found = rules.get(bareHost(host));
    return found !== undefined && isDisallowed(found, pathname + search) ? drop("robots-disallowed", pathname + search) : keep;
  };
});

const bareHost = (host: string): string => host.toLowerCase().replace(/^www\./, "");
