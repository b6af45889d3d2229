// Sorting of records that are larger than memory. A record is a fixed number of little-endian 64-bit words, ordered word by word.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace perennial {

/// A sorted stretch of a file.
struct Run {
  std::string path;
  uint64_t offset;
  uint64_t bytes;
};

void sortRecords(uint64_t* words, size_t numRecords, size_t wordsPerRecord);

struct MergePlan {
  std::vector<Run> runs;
  size_t wordsPerRecord;
  size_t bufferBytes;         // read-ahead per run, and for each output
  std::string outputPath;     // all records in order; empty: not written
  std::string pairsPath;      // (last word of a key's first record, last word of a later one); empty: not written
  bool unique;                // drop repeated records
};

struct MergeCounts {
  uint64_t records = 0;
  uint64_t pairs = 0;
};

/// Merges sorted runs. Throws std::runtime_error that names the file when one cannot be read or written.
MergeCounts mergeRuns(const MergePlan& plan);

}  // namespace perennial
