// Hand-written matchers of the pre-tokenization patterns that most models use. Each returns the end of the piece that
// begins at `p` (p < end). Every one is compared with its regular expression, run by regex.h, in the tests.
#pragma once
#include <cstdint>

namespace perennial {

/** '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+  */
const char* matchGpt2(const char* p, const char* end);

/** (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+  */
const char* matchCl100k(const char* p, const char* end, int digits);

/** U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], W = [\p{Ll}\p{Lm}\p{Lo}\p{M}], C = (?i:'s|'t|'re|'ve|'m|'ll|'d)? where `contractions`
 *  [^\r\n\p{L}\p{N}]?U*W+C|[^\r\n\p{L}\p{N}]?U+W*C|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+  */
const char* matchO200k(const char* p, const char* end, int digits, bool contractions);

}  // namespace perennial
