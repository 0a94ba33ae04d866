/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 validation after table 3-7 of the Unicode Standard; see file.h. */
#include "base/file.h"

/* Well-formed sequences by lead byte: their length and the range of the second byte, which is
   where overlong forms, surrogates and values above U+10FFFF show. */
static const struct {
    unsigned char lead_first, lead_last;
    unsigned char second_first, second_last;
    unsigned char length;
} sequences[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* Length of the well-formed sequence at the start of `bytes`, 0 when there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        size_t length = sequences[i].length;

        if (bytes[0] < sequences[i].lead_first || bytes[0] > sequences[i].lead_last)
            continue;
        if (length > size)
            return 0;
        if (length > 1 &&
            (bytes[1] < sequences[i].second_first || bytes[1] > sequences[i].second_last))
            return 0;
        for (size_t k = 2; k < length; k++) {
            if (bytes[k] < 0x80 || bytes[k] > 0xBF)
                return 0;
        }
        return length;
    }
    return 0;
}

bool wavecast_base__utf8_valid(const char *data, size_t size, size_t *bad_offset)
{
    const unsigned char *bytes = (const unsigned char *)data;
    size_t position = 0;

    while (position < size) {
        size_t length = sequence_length(bytes + position, size - position);

        if (length == 0) {
            if (bad_offset)
                *bad_offset = position;
            return false;
        }
        position += length;
    }
    return true;
}
