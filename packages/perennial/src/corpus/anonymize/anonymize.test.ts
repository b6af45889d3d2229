import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anonymizer, FINEWEB2_ANONYMIZE } from "./anonymize.ts";
import { findCards, findIbans, ibanRemainder, luhn } from "./check-digits.ts";
import { findEmails } from "./email.ts";
import { isPublic } from "./ip.ts";

const all = anonymizer();

// Golden values: tools/golden/filters.py, datatrove's PIIFormatter. Ours leaves numbers alone that only contain an address.
const golden: { text: string; pii: string }[] = JSON.parse(
  readFileSync(new URL("../filter/golden/formatters.json", import.meta.url), "utf8"),
);

test.each(golden)("as the reference: $text", ({ text, pii }) => {
  const reference = pii.replace("2188.8.131.52, 184.108.40.206.5", "256.1.1.1, 1.2.3.4.5");
  const rotated = anonymizer(FINEWEB2_ANONYMIZE)(text).text;
  if (reference === pii) expect(rotated).toBe(pii);
  else
    expect(rotated).toBe(
      "Hosts 22.214.171.124, 192.168.1.1, 10.0.0.1, 126.96.36.199:80, 256.1.1.1, 1.2.3.4.5, 127.0.0.1, 100.64.0.1, 169.254.1.1, " +
        "188.8.131.52, 198.51.100.7, 184.108.40.206, 220.127.116.11, 255.255.255.255, 0.1.2.3",
    );
});

test("the rotation starts anew in each text", () => {
  const { text, replaced } = all("a@b.org c@d.org e@f.org");
  expect(text).toBe("email@example.com firstname.lastname@example.org email@example.com");
  expect(replaced).toEqual({ emails: 3 });
  expect(all("a@b.org").text).toBe("email@example.com");
});

/** The reference's expression; \b and \w over Unicode. */
const BOUNDARY = "(?:(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_])|(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_]))";
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-]+";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9\\-]*[A-Za-z0-9])?";
const REFERENCE = new RegExp(`${BOUNDARY}${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${LABEL}`, "gu");

test("addresses are those of the reference's expression", () => {
  const text = fc
    .array(fc.constantFrom("a", "b1", "@", ".", "-", "'", "é", " ", "org", "_", "+"), { maxLength: 25 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (sample) => {
      expect(findEmails(sample).map(([start, end]) => sample.slice(start, end))).toEqual(
        [...sample.matchAll(REFERENCE)].map(([match]) => match),
      );
    }),
    { numRuns: 5000 },
  );
});

test("special-purpose addresses are not public", () => {
  expect(["8.8.8.8", "172.32.0.1", "100.128.0.0", "192.0.0.9", "224.0.0.1"].every(isPublic)).toBe(true);
  expect(
    ["172.31.255.255", "100.127.255.255", "192.0.0.7", "192.0.2.1", "203.0.113.9", "255.255.255.255", "198.19.0.1"].some(isPublic),
  ).toBe(false);
});

test("cards and accounts only with their check digits", () => {
  expect([luhn("4111111111111111"), luhn("4111111111111112"), luhn("378282246310005")]).toEqual([true, false, true]);
  expect([
    ibanRemainder("GB82WEST12345698765432"),
    ibanRemainder("DE89370400440532013000"),
    ibanRemainder("DE88370400440532013000"),
  ]).toEqual([1, 1, 0]);
  const text = "Card 5500-0000-0000-0004, IBAN DE89 3704 0044 0532 0130 00. Order 4111111111111112, DE88370400440532013000.";
  expect(all(text)).toEqual({
    text: "Card 4111 1111 1111 1111, IBAN GB33BUKB20201555555555. Order 4111111111111112, DE88370400440532013000.",
    replaced: { cards: 1, ibans: 1 },
  });
});

test("every card number with a right check digit is found, every wrong one is not", () => {
  const body = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 14, maxLength: 14 });
  fc.assert(
    fc.property(body, fc.integer({ min: 0, max: 9 }), (digits, check) => {
      const number = `4${digits.join("")}${check}`;
      expect(findCards(`paid with ${number}.`)).toHaveLength(luhn(number) ? 1 : 0);
    }),
  );
});

test("an account is found up to its country's length, in groups or not", () => {
  const at = (text: string) => findIbans(text).map(([start, end]) => text.slice(start, end));
  expect(at("to FR1420041010050500013M02606 now")).toEqual(["FR1420041010050500013M02606"]);
  expect(at("to FR14 2004 1010 0505 0001 3M02 606, now")).toEqual(["FR14 2004 1010 0505 0001 3M02 606"]);
  expect(at("FR1420041010050500013M026067 XX82WEST12345698765432")).toEqual([]);
});

test("telephone numbers after their word or with a country code", () => {
  expect(all("Tel. 030 123456, Fax: (030) 12 34-57").text).toBe("Tel. +1 202-555-0100, Fax: +1 202-555-0100");
  expect(all("电话：010-12345678 及 +86 10 1234 5678").text).toBe("电话：+1 202-555-0100 及 +1 202-555-0100");
  expect(all("हमारा फोन ०११-२३४५६७८९").replaced).toEqual({ phones: 1 });
  for (const text of [
    "in 2019-2020 there were 1 234 567 hotels",
    "ISBN 978-3-16-148410-0",
    "telescope M31 12.345.678",
    "Version 10.0.19041.1",
  ])
    expect(all(text).text).toBe(text);
});

test("what is off stays", () => {
  const text = "a@b.org 8.8.8.8 +49 30 1234567 4111111111111111";
  expect(anonymizer({ emails: false, ips: false, phones: false, cards: false })(text)).toEqual({ text, replaced: {} });
});

test("a hostile text takes linear time", () => {
  const length = 200_000;
  for (const text of [
    `${"a!".repeat(length)}@`,
    `a@${"a-".repeat(length)}`,
    "@".repeat(length),
    "1 ".repeat(length),
    "DE89 ".repeat(length),
    `+${"1".repeat(length)}`,
  ])
    expect(all(text).text.length).toBeGreaterThan(0);
});
