/**
 * IPv4 addresses that are routable on the public internet, standing alone: not part of a longer number, version or dotted sequence.
 * Not public: the special-purpose blocks of RFC 6890 (private, loopback, link-local, shared, documentation, benchmarking, reserved).
 * An octet with a leading zero is no address.
 */
const ADDRESS = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\d|\.\d)/g;

const SPECIAL = (
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/29 192.0.0.170/31 192.0.2.0/24 " +
  "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
)
  .split(" ")
  .map((block) => {
    const [network, bits] = block.split("/") as [string, string];
    return { network: numberOf(network), size: 2 ** (32 - Number(bits)) };
  });

export function findPublicIps(text: string): [start: number, end: number][] {
  const found: [number, number][] = [];
  for (const { index, 0: address } of text.matchAll(ADDRESS)) if (isPublic(address)) found.push([index, index + address.length]);
  return found;
}

export function isPublic(address: string): boolean {
  const number = numberOf(address);
  return !SPECIAL.some(({ network, size }) => number >= network && number < network + size);
}

function numberOf(address: string): number {
  return address.split(".").reduce((number, octet) => number * 256 + Number(octet), 0);
}
