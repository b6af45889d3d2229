/**
 * The alphabet of byte-level vocabularies (GPT-2's `bytes_to_unicode`): a printable Latin-1 byte stands for itself,
 * every other byte for a character from U+0100 on, in order. So any bytes can be written as text in a JSON vocabulary.
 */

const CHARACTERS: readonly string[] = (() => {
  let extra = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const itself = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(itself ? byte : extra++);
  });
})();

const BYTES: ReadonlyMap<string, number> = new Map(CHARACTERS.map((character, byte) => [character, byte]));

/** byte → its character. */
export const byteCharacters: readonly string[] = CHARACTERS;

export const bytesToCharacters = (bytes: Uint8Array): string => Array.from(bytes, (byte) => CHARACTERS[byte]!).join("");

/** The bytes that a token of a byte-level vocabulary stands for; undefined when a character is not of the alphabet. */
export function charactersToBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTES.get(token[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
