/**
 * Licences: keeps documents whose stated licence is among the accepted ones. A licence is an SPDX expression or a Creative Commons URL;
 * of `A OR B` one must be accepted, of `A AND B` both; an exception (`A WITH B`) does not matter. AND binds tighter than OR.
 */
import { z } from "zod";
import { defineFilter, drop, keep } from "../filter/define.ts";

export const licenseSchema = z.strictObject({
  accept: z.array(z.string()).describe("SPDX identifiers, e.g. CC-BY-4.0"),
  missing: z.enum(["keep", "drop"]).describe("what happens to a document that states no licence"),
});

export const license = defineFilter("license", licenseSchema, ({ accept, missing }) => {
  const accepted = new Set(accept.map((identifier) => identifier.toLowerCase()));
  return ({ provenance }) => {
    if (provenance.license === undefined) return missing === "keep" ? keep : drop("license-missing");
    return isAccepted(spdx(provenance.license), accepted) ? keep : drop("license-not-accepted", provenance.license);
  };
});

/** `https://creativecommons.org/licenses/by-sa/4.0/` → `CC-BY-SA-4.0`; anything else as it is. */
export function spdx(license: string): string {
  const [, kind, version] = /creativecommons\.org\/(?:licenses\/([a-z-]+)|publicdomain\/zero)\/(\d\.\d)/i.exec(license) ?? [];
  if (version === undefined) return license.trim();
  return kind === undefined ? `CC0-${version}` : `CC-${kind.toUpperCase()}-${version}`;
}

/** Recursive descent over `expression = all (OR all)*`, `all = one (AND one)*`, `one = ( expression ) | identifier (WITH exception)?`. */
function isAccepted(expression: string, accepted: ReadonlySet<string>): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let next = 0;
  const take = (word: string): boolean => tokens[next]?.toUpperCase() === word && ++next > 0;
  const one = (): boolean => {
    if (take("(")) {
      const inside = any();
      return take(")") && inside;
    }
    const name = tokens[next++]?.toLowerCase() ?? "";
    if (take("WITH")) next++;
    return accepted.has(name);
  };
  const all = (): boolean => {
    let result = one();
    while (take("AND")) result = one() && result;
    return result;
  };
  const any = (): boolean => {
    let result = all();
    while (take("OR")) result = all() || result;
    return result;
  };
  return any() && next >= tokens.length;
}
