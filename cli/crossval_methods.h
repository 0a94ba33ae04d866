/* SPDX-License-Identifier: Apache-2.0 */
/* Fitted forms and cost models as methods of a cross-validation over a measurement set. */
#ifndef WAVECAST_CLI_CROSSVAL_METHODS_H
#define WAVECAST_CLI_CROSSVAL_METHODS_H

#include "cli/subject.h"

#include <wavecast/crossval.h>
#include <wavecast/fit.h>

/* What a method works on; exactly one of form and predictor is set. Not to be moved. */
struct cli_crossval_context {
    const struct cli_subject *subject;          /* the set that is predicted */
    const struct cli_subject *source;           /* the set that is fitted to; often the same */
    const struct wavecast_fit_form *form;       /* fitted to the training histograms */
    const struct wavecast_predictor *predictor; /* needs no timings */
    double design_share; /* above 0: of the training histograms' timings, only those of a design
                            for this share of their predicted GPU time */
};

/*
 * The method of a context. With another source, training uses the source's
 * timings of the same routings, or, when no histogram is to be trained on,
 * all of the source's timings; the fit is then moved to the subject's GPU.
 */
struct wavecast_crossval_method cli_crossval_method(struct cli_crossval_context *context,
                                                    bool optional);

#endif
