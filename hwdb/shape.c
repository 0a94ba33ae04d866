/* SPDX-License-Identifier: Apache-2.0 */
/* Shards of a model's expert layer, and their text form "ID:tp8ep2". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include <wavecast/hwdb.h>

enum { ID_MAX = 64, DIVISORS_BYTES = 200, RANKS_MAX = 65536 };

static bool divides(int part, int whole)
{
    return part >= 1 && whole % part == 0;
}

/* "1, 2, 4, ..." as far as the buffer reaches. */
static const char *divisors(int whole, char *buffer, size_t size)
{
    size_t used = 0;
    for (int d = 1; d <= whole; d++) {
        int n;
        if (whole % d != 0)
            continue;
        n = snprintf(buffer + used, size - used, "%s%d", used > 0 ? ", " : "", d);
        if (n < 0 || (size_t)n + sizeof(", ...") > size - used) {
            snprintf(buffer + used, size - used, "%s", used > 0 ? ", ..." : "");
            break;
        }
        used += (size_t)n;
    }
    return buffer;
}

static enum wavecast_status check_shard(const struct wavecast_model *model, int tp, int ep,
                                        int ep_rank, struct wavecast_error *error)
{
    char list[DIVISORS_BYTES];
    int intermediate = (int)model->intermediate, experts = (int)model->experts;
    if (!divides(tp, intermediate))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "tp: %d does not divide the expert width %d of %s; "
                                        "allowed are %s",
                                        tp, intermediate, model->id,
                                        divisors(intermediate, list, sizeof(list)));
    if (!divides(ep, experts))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "ep: %d does not divide the %d experts of %s; allowed "
                                        "are %s",
                                        ep, experts, model->id,
                                        divisors(experts, list, sizeof(list)));
    if (ep_rank < 0 || ep_rank >= ep)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "ep_rank: %d is out of range; allowed is 0 to %d", ep_rank,
                                        ep - 1);
    return WAVECAST_OK;
}

static void shape_name(const char *id, int tp, int ep, char *buffer, size_t size)
{
    char tensor[16] = "", expert[16] = "";
    if (tp > 1)
        snprintf(tensor, sizeof(tensor), "tp%d", tp);
    if (ep > 1)
        snprintf(expert, sizeof(expert), "ep%d", ep);
    snprintf(buffer, size, "%s%s%s%s", id, tp > 1 || ep > 1 ? ":" : "", tensor, expert);
}

enum wavecast_status wavecast_model_shard(const struct wavecast_model *model, int tp, int ep,
                                          int ep_rank, struct wavecast_moe_shape *out,
                                          struct wavecast_error *error)
{
    enum wavecast_status status = check_shard(model, tp, ep, ep_rank, error);
    if (status != WAVECAST_OK)
        return status;
    memset(out, 0, sizeof(*out));
    shape_name(model->id, tp, ep, out->id, sizeof(out->id));
    out->experts_global = (int)model->experts;
    out->experts = out->experts_global / ep;
    out->expert_first = out->experts * ep_rank;
    out->top_k = (int)model->top_k;
    out->hidden = (int)(isnan(model->expert_hidden) ? model->hidden : model->expert_hidden);
    out->intermediate = (int)model->intermediate / tp;
    out->gated = model->gated;
    out->tp = tp;
    out->ep = ep;
    out->activation = model->activation;
    out->weight_dtype = model->weight_dtype;
    return WAVECAST_OK;
}

/* Reads "tp8" at *text when `key` is "tp"; moves on. False: not there or malformed. */
static bool take_ranks(const char **text, const char *key, int *ranks)
{
    char digits[8] = "";
    int64_t value = 0;
    size_t length;
    if (strncmp(*text, key, strlen(key)) != 0)
        return false;
    length = strspn(*text + strlen(key), "0123456789");
    if (length == 0 || length >= sizeof(digits))
        return false;
    memcpy(digits, *text + strlen(key), length);
    if (!wavecast_base__parse_int64(digits, &value) || value < 1 || value > RANKS_MAX)
        return false;
    *ranks = (int)value;
    *text += strlen(key) + length;
    return true;
}

static enum wavecast_status parse_suffix(const char *whole, const char *suffix, int *tp, int *ep,
                                         struct wavecast_error *error)
{
    const char *text = suffix;
    bool taken = false;
    taken |= take_ranks(&text, "tp", tp);
    taken |= take_ranks(&text, "ep", ep);
    if (taken && *text == '\0')
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 0,
                                    "'%.80s': malformed shard ':%.40s'; ':tpT', ':epE' or "
                                    "':tpTepE' is expected",
                                    whole, suffix);
}

enum wavecast_status wavecast_hwdb_shape_find(const struct wavecast_hwdb *db, const char *text,
                                              struct wavecast_moe_shape *out,
                                              struct wavecast_error *error)
{
    const struct wavecast_model *model = NULL;
    const char *colon = strchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    char id[ID_MAX] = "";
    int tp = 1, ep = 1;
    enum wavecast_status status = WAVECAST_OK;
    if (length >= sizeof(id))
        length = sizeof(id) - 1; /* no id is that long: reported as not found */
    memcpy(id, text, length);
    status = wavecast_hwdb_model_find(db, id, &model, error);
    if (status == WAVECAST_OK && colon != NULL)
        status = parse_suffix(text, colon + 1, &tp, &ep, error);
    if (status != WAVECAST_OK)
        return status;
    return wavecast_model_shard(model, tp, ep, 0, out, error);
}
