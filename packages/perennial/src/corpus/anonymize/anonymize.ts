/**
 * Replaces personal data by stand-ins that nobody owns. E-mails and public IPv4 addresses as FineWeb2 does (two addresses of example
 * domains, six IP addresses, in rotation); telephone, card and account numbers beyond it. The rotation starts anew in each document,
 * so the result does not depend on what was processed before.
 */
import { z } from "zod";
import { findCards, findIbans } from "./check-digits.ts";
import { findEmails } from "./email.ts";
import { findPublicIps } from "./ip.ts";
import { findPhones } from "./phone.ts";

export const anonymizeSchema = z.strictObject({
  emails: z.boolean().default(true),
  ips: z.boolean().default(true).describe("public IPv4 addresses; private ones stay"),
  phones: z.boolean().default(true),
  ibans: z.boolean().default(true),
  cards: z.boolean().default(true),
});
export type PersonalData = keyof z.output<typeof anonymizeSchema>;

/** Only what FineWeb2 replaces. */
export const FINEWEB2_ANONYMIZE = { phones: false, ibans: false, cards: false } as const;

/** Finders in the order in which they claim text: an account number is not searched for telephone numbers. */
const KINDS: readonly { kind: PersonalData; find: (text: string) => [number, number][]; standIns: readonly string[] }[] = [
  { kind: "emails", find: findEmails, standIns: ["email@example.com", "firstname.lastname@example.org"] },
  { kind: "ibans", find: findIbans, standIns: ["GB33BUKB20201555555555"] },
  { kind: "cards", find: findCards, standIns: ["4111 1111 1111 1111"] },
  {
    kind: "ips",
    find: findPublicIps,
    standIns: ["22.214.171.124", "126.96.36.199", "188.8.131.52", "184.108.40.206", "220.127.116.11", "18.104.22.168"],
  },
  { kind: "phones", find: findPhones, standIns: ["+1 202-555-0100"] },
];

export interface Anonymized {
  readonly text: string;
  /** How many of each kind were replaced; kinds without any are absent. */
  readonly replaced: Partial<Record<PersonalData, number>>;
}

export function anonymizer(given: z.input<typeof anonymizeSchema> = {}): (text: string) => Anonymized {
  const options = anonymizeSchema.parse(given);
  const kinds = KINDS.filter(({ kind }) => options[kind]);
  return (text) => {
    const claims: { start: number; end: number; kind: PersonalData; standIns: readonly string[] }[] = [];
    if (!/[@\p{Nd}]/u.test(text)) return { text, replaced: {} };
    for (const { kind, find, standIns } of kinds) {
      const earlier = claims.toSorted((a, b) => a.start - b.start);
      for (const [start, end] of find(text)) if (isFree(earlier, start, end)) claims.push({ start, end, kind, standIns });
    }
    claims.sort((a, b) => a.start - b.start);
    const replaced: Partial<Record<PersonalData, number>> = {};
    const parts: string[] = [];
    let done = 0;
    for (const { start, end, kind, standIns } of claims) {
      const count = replaced[kind] ?? 0;
      parts.push(text.slice(done, start), standIns[count % standIns.length]!);
      replaced[kind] = count + 1;
      done = end;
    }
    return { text: parts.join("") + text.slice(done), replaced };
  };
}

/** `ranges` ascending and disjoint: does [start, end) touch none of them? */
function isFree(ranges: readonly { start: number; end: number }[], start: number, end: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.end <= start) low = middle + 1;
    else high = middle;
  }
  return low === ranges.length || ranges[low]!.start >= end;
}
