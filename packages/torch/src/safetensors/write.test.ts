import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { noGrad, scope, tensor, torch } from "../index.ts";
import { checksumFile, openSafetensors, writeSafetensors, writeSafetensorsInBackground } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "perennial-background-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the background writer writes the file that the plain writer writes", async () => {
  const tensors = {
    half: torch.arange(5).to("bfloat16"),
    matrix: torch.randn([3, 4]).t(), // not contiguous
    count: tensor(new BigInt64Array([1n, -2n])),
    empty: torch.empty([0, 7]),
  };
  writeSafetensors(join(folder, "plain"), tensors, { format: "pt" });
  for (const copy of [true, false]) {
    const path = join(folder, `background-${copy}`);
    const summary = await writeSafetensorsInBackground(path, tensors, { copy, metadata: { format: "pt" } });
    expect(readFileSync(path).equals(readFileSync(join(folder, "plain")))).toBe(true);
    expect(summary).toEqual(await checksumFile(path));
  }
});

test("what changes after the call is not in the file", async () => {
  const weight = torch.ones([1 << 20]);
  const writing = writeSafetensorsInBackground(join(folder, "snapshot"), { weight }, { copy: true });
  noGrad(() => weight.fill_(7));
  await writing;
  scope(() => {
    const reader = openSafetensors(join(folder, "snapshot"));
    expect(reader.read("weight").eq(1).all().item()).toBe(1);
    reader.close();
  });
});

test("a full device rejects with its code; a path that cannot be made as well", async () => {
  const weight = torch.ones([1000]);
  await expect(writeSafetensorsInBackground(join(folder, "no/such"), { weight }, { copy: true })).rejects.toMatchObject({ code: "ENOENT" });
  expect(existsSync(join(folder, "no"))).toBe(false);
  await expect(checksumFile(join(folder, "none"))).rejects.toThrow(/ENOENT.*none/);
});

test("CRC-32C of the published examples (RFC 3720, B.4)", async () => {
  const { native } = await import("../native.ts");
  const { begin, putHandles } = await import("../call.ts");
  const crc = async (bytes: Uint8Array) => {
    begin();
    putHandles([]);
    return (await native.writeFile(join(folder, "crc"), bytes)).crc32c;
  };
  expect(await crc(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(await crc(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(await crc(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(await crc(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  // Devices are as full as disks can be.
  begin();
  putHandles([]);
  await expect(native.writeFile("/dev/full", new Uint8Array(10))).rejects.toMatchObject({ code: "ENOSPC" });
});
