/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of payoff.h share: reading the matrices, and growing sets. */
#ifndef WAVECAST_VALIDATE_PAYOFF_H
#define WAVECAST_VALIDATE_PAYOFF_H

#include <stdbool.h>
#include <wavecast/payoff.h>

/* What choices on histogram h are made by: config_count numbers. */
const double *wavecast_validate__payoff_scores(const struct wavecast_payoff_data *data, size_t h);

/* Uncertainty of the gain of going from one configuration to another on histogram h. */
double wavecast_validate__payoff_uncertainty_us(const struct wavecast_payoff_data *data, size_t h,
                                                size_t from, size_t to);

/* Whether that gain is larger than its uncertainty; never when that is not known. */
bool wavecast_validate__payoff_is_certain(const struct wavecast_payoff_data *data, size_t h,
                                          size_t from, size_t to);

/*
 * Grows `sets`, or with `certain` the `additions` of checked data. *out is
 * written on success only.
 */
enum wavecast_status wavecast_validate__payoff_grow(const struct wavecast_payoff_data *data,
                                                    const struct wavecast_payoff_options *options,
                                                    bool certain,
                                                    struct wavecast_payoff_growth *out,
                                                    struct wavecast_error *error);
void wavecast_validate__payoff_growth_free(struct wavecast_payoff_growth *growth);

#endif
