/**
 * robots.txt as the crawl's owner would have to obey it. Consecutive User-agent lines share the rules that follow; of all groups, those
 * of the given agents count together (default `*`, `ia_archiver`, `CCBot`). A URL is disallowed when a Disallow pattern matches and no
 * Allow pattern does. A pattern is anchored at the start of the path: `*` stands for anything, `$` at the end for the end.
 * An empty Disallow disallows nothing. Agents are compared without case, paths (with their query) exactly.
 * Source: HPLT 3.0 (arXiv 2511.01066), section on robots.txt; the syntax is RFC 9309's, its precedence rule of the longest match is not used.
 */
export const CRAWL_AGENTS: readonly string[] = ["*", "ia_archiver", "CCBot"];

export interface RobotsRules {
  readonly allow: readonly string[];
  readonly disallow: readonly string[];
}

/** Google's limit; what stands behind it is not read. */
const MAX_CHARACTERS = 500 * 1024;

export function parseRobots(text: string, agents: readonly string[] = CRAWL_AGENTS): RobotsRules {
  const wanted = new Set(agents.map((agent) => agent.toLowerCase()));
  const allow = new Set<string>();
  const disallow = new Set<string>();
  let applies = false;
  let inAgents = false;
  for (const line of text
    .slice(0, MAX_CHARACTERS)
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)) {
    const [, field, value] = /^\s*([A-Za-z-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/.exec(line) ?? [];
    switch (field?.toLowerCase()) {
      case "user-agent":
        applies = wanted.has(value!.toLowerCase()) || (inAgents && applies);
        inAgents = true;
        break;
      case "allow":
      case "disallow":
        inAgents = false;
        if (applies && value !== "") (field!.toLowerCase() === "allow" ? allow : disallow).add(value!);
        break;
    }
  }
  return { allow: [...allow], disallow: [...disallow] };
}

/** `path`: what follows the host, with the query, e.g. `/a/b?c`. */
export function isDisallowed({ allow, disallow }: RobotsRules, path: string): boolean {
  return disallow.some((pattern) => matches(pattern, path)) && !allow.some((pattern) => matches(pattern, path));
}

/** Each part between stars at its first place behind the one before it: no backtracking, whatever the pattern. */
export function matches(pattern: string, path: string): boolean {
  const toEnd = pattern.endsWith("$");
  const [first, ...parts] = (toEnd ? pattern.slice(0, -1) : pattern).split("*") as [string, ...string[]];
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const [i, part] of parts.entries()) {
    if (toEnd && i === parts.length - 1) return path.length - part.length >= at && path.endsWith(part);
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return !toEnd || at === path.length;
}
