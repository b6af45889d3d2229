/**
 * The pages of a column before they are decoded: a damaged page header can send the decoder back to where it was, for ever, or ask for
 * more memory than there is. Here only headers are read, from the first page to the last.
 */
import { parquetHeader } from "hyparquet/src/column.js";

/** Pages are about a megabyte; a writer that puts a whole column into one stays below this. */
const MAX_PAGE_BYTES = 2 ** 30;

/** Throws when the pages do not follow each other to the end of the column's bytes. `mostValues`: more cannot be in a page. */
export function checkPages(column: Uint8Array, mostValues: number): void {
  const reader = { view: new DataView(column.buffer, column.byteOffset, column.byteLength), offset: 0 };
  // The decoder stops one byte before the end, too.
  while (reader.offset < column.byteLength - 1) {
    const { compressed_page_size, uncompressed_page_size, data_page_header, data_page_header_v2, dictionary_page_header } =
      parquetHeader(reader);
    const sizes = [compressed_page_size, uncompressed_page_size];
    if (!sizes.every((size) => Number.isInteger(size) && size >= 0 && size <= MAX_PAGE_BYTES))
      throw new Error(`a page of ${compressed_page_size} bytes`);
    const { definition_levels_byte_length = 0, repetition_levels_byte_length = 0 } = data_page_header_v2 ?? {};
    const levels = [definition_levels_byte_length, repetition_levels_byte_length];
    if (!levels.every((bytes) => bytes >= 0) || definition_levels_byte_length + repetition_levels_byte_length > compressed_page_size)
      throw new Error("levels that lie outside of their page");
    const counts = [
      data_page_header?.num_values,
      data_page_header_v2?.num_values,
      data_page_header_v2?.num_rows,
      dictionary_page_header?.num_values,
    ];
    if (counts.some((count) => count !== undefined && !(count >= 0 && count <= mostValues)))
      throw new Error("a page of an impossible number of values");
    reader.offset += compressed_page_size;
    if (reader.offset > column.byteLength) throw new Error("a page lies outside of its column");
  }
}
