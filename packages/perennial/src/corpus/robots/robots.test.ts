import fc from "fast-check";
import { expect, test } from "vitest";
import type { Document, Provenance } from "../document.ts";
import { license, spdx } from "./license-filter.ts";
import { robots } from "./robots-filter.ts";
import { isDisallowed, matches, parseRobots } from "./robots-txt.ts";

const file = `\ufeff# comment
User-agent: Googlebot
Disallow: /google

User-Agent: ccbot   # ours
user-agent: other
Disallow: /cc
Allow: /cc/open

Sitemap: https://example.org/sitemap.xml
User-agent: *\r
Disallow: /private/ # not for you
Disallow:
Crawl-delay: 5
Disallow: /*.pdf$
`;

test("groups of our agents count together", () => {
  expect(parseRobots(file)).toEqual({ allow: ["/cc/open"], disallow: ["/cc", "/private/", "/*.pdf$"] });
  expect(parseRobots(file, ["googlebot"])).toEqual({ allow: [], disallow: ["/google"] });
  expect(parseRobots("Disallow: /\nUser-agent: *")).toEqual({ allow: [], disallow: [] });
});

test.each([
  ["/cc/x", true],
  ["/cc/open/x", false],
  ["/private", false],
  ["/private/", true],
  ["/a/b.pdf", true],
  ["/a/b.pdf?x", false],
  ["/google", false],
])("%s is disallowed: %s", (path, expected) => expect(isDisallowed(parseRobots(file), path)).toBe(expected));

test("patterns are the anchored regular expressions of the definition", () => {
  const pieces = fc.constantFrom("a", "b", "/", "*", ".", "$", "?");
  const text = (part: fc.Arbitrary<string>) => fc.array(part, { maxLength: 10 }).map((parts) => parts.join(""));
  const regex = (pattern: string) => {
    const end = pattern.endsWith("$");
    const body = (end ? pattern.slice(0, -1) : pattern).replace(/[\\^$.+?()[\]{}|]/g, "\\$&").replace(/\*/g, ".*");
    return new RegExp(`^${body}${end ? "$" : ".*"}`, "s");
  };
  fc.assert(
    fc.property(text(pieces), text(fc.constantFrom("a", "b", "/", ".", "$", "?")), (pattern, path) => {
      expect(matches(pattern, path)).toBe(regex(pattern).test(path));
    }),
    { numRuns: 5000 },
  );
});

const document = (rest: Partial<Document>): Document => ({
  id: "1",
  text: "",
  provenance: { file: "t" },
  metadata: {},
  annotations: {},
  ...rest,
});

test("hosts are compared without www. and scheme", () => {
  const filter = robots({ files: { "www.Example.org": "User-agent: *\nDisallow: /x?a=" } });
  const kept = (url?: string) => filter.decide(document(url === undefined ? {} : { url })).kept;
  expect([kept("http://example.org/x?a=1"), kept("https://www.example.org/x?a=1")]).toEqual([false, false]);
  expect([kept("https://example.org/x"), kept("https://sub.example.org/x?a=1"), kept("no url"), kept()]).toEqual([true, true, true, true]);
});

test("licences: one of OR, both of AND, Creative Commons by URL", () => {
  const filter = license({ accept: ["MIT", "CC-BY-SA-4.0", "GPL-2.0-only"], missing: "drop" });
  const kept = (text?: string) => {
    const provenance: Provenance = text === undefined ? { file: "t" } : { file: "t", license: text };
    return filter.decide(document({ provenance })).kept;
  };
  for (const good of [
    "mit",
    "https://creativecommons.org/licenses/by-sa/4.0/deed.fr",
    "ISC OR MIT",
    "MIT AND (ISC OR GPL-2.0-only WITH Classpath-exception-2.0)",
  ])
    expect([good, kept(good)]).toEqual([good, true]);
  for (const bad of ["ISC", "MIT AND ISC", "https://creativecommons.org/licenses/by-nc/4.0/", "(MIT", "MIT ISC", "", undefined])
    expect([bad, kept(bad)]).toEqual([bad, false]);
  expect(spdx("http://creativecommons.org/publicdomain/zero/1.0/")).toBe("CC0-1.0");
  expect(license({ accept: [], missing: "keep" }).decide(document({})).kept).toBe(true);
});
