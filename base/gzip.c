/* SPDX-License-Identifier: Apache-2.0 */
/* gzip decompression with zlib, under a limit on the result; see gzip.h. */
#include "base/gzip.h"
#include "base/error.h"
#include "base/memory.h"
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum {
    GZIP_WINDOW_BITS = 16 + MAX_WBITS, /* zlib's code for "gzip wrapper only" */
    FIRST_ROOM_BYTES = 65536
};

/* The output while it grows: `used` bytes of `room`, one more kept for the terminator. */
struct output {
    char *data;
    size_t used;
    size_t room;
    size_t limit;
};

/* zlib's memory comes through the same hook as everybody's. */
static void *zlib_allocate(void *opaque, unsigned n, unsigned size)
{
    (void)opaque;
    return wavecast_base__calloc(n, size);
}

static void zlib_release(void *opaque, void *pointer)
{
    (void)opaque;
    wavecast_base__free(pointer);
}

/* Points the stream at free room of the output. At the limit one byte of room is left, to tell
   "exactly the limit" from "more". */
static enum wavecast_status offer_room(z_stream *stream, struct output *output,
                                       struct wavecast_error *error)
{
    void *data = output->data;
    size_t free_bytes;

    if (output->room - output->used < 2 &&
        !wavecast_base__grow(&data, &output->room,
                             output->room ? output->room * 2 : FIRST_ROOM_BYTES, 1))
        return wavecast_base__error_no_memory(error);
    output->data = data;
    free_bytes = output->room - output->used - 1;
    if (free_bytes > output->limit - output->used + 1)
        free_bytes = output->limit - output->used + 1;
    if (free_bytes > UINT_MAX)
        free_bytes = UINT_MAX;
    stream->next_out = (unsigned char *)output->data + output->used;
    stream->avail_out = (unsigned)free_bytes;
    return WAVECAST_OK;
}

/* Inflates until the input is used up or something is wrong. */
static enum wavecast_status inflate_all(z_stream *stream, const char *source, struct output *output,
                                        struct wavecast_error *error)
{
    enum wavecast_status status;
    int code = Z_OK;

    while (code != Z_STREAM_END || stream->avail_in > 0) {
        if (code == Z_STREAM_END)
            (void)inflateReset(stream); /* another member follows */
        status = offer_room(stream, output, error);
        if (status != WAVECAST_OK)
            return status;
        code = inflate(stream, Z_NO_FLUSH);
        output->used = (size_t)((char *)stream->next_out - output->data);
        if (code == Z_MEM_ERROR)
            return wavecast_base__error_no_memory(error);
        if (output->used > output->limit)
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, source, 0, 0,
                                            "decompresses to more than %zu bytes", output->limit);
        if (code != Z_OK && code != Z_STREAM_END)
            return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, source, 0, 0,
                                            "damaged gzip data: %s",
                                            code == Z_BUF_ERROR ? "the file is cut short"
                                            : stream->msg       ? stream->msg
                                                                : "unexpected contents");
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_base__gunzip(const char *data, size_t size, size_t limit_bytes,
                                           const char *source, char **out, size_t *out_size,
                                           struct wavecast_error *error)
{
    struct output output = {.limit = limit_bytes < SIZE_MAX / 4 ? limit_bytes : SIZE_MAX / 4};
    z_stream stream;
    enum wavecast_status status;

    if (size > UINT_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, source, 0, 0,
                                        "gzip file over 4 GiB");
    memset(&stream, 0, sizeof stream);
    stream.zalloc = zlib_allocate;
    stream.zfree = zlib_release;
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
        return wavecast_base__error_no_memory(error);
    stream.next_in = (unsigned char *)(uintptr_t)data; /* zlib only reads it */
    stream.avail_in = (unsigned)size;
    status = inflate_all(&stream, source, &output, error);
    (void)inflateEnd(&stream);
    if (status != WAVECAST_OK) {
        wavecast_base__free(output.data);
        return status;
    }
    output.data[output.used] = '\0';
    *out = output.data;
    *out_size = output.used;
    return WAVECAST_OK;
}
