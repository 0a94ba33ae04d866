/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a Criterion program's tests one after another in its own process.
 *
 * Criterion starts a process for every test, and under valgrind each start
 * costs a second or more. Loaded with LD_PRELOAD, this file takes the place of
 * the functions of libcriterion that start and report tests; the programs
 * themselves are the same. Assertions, fixtures and parameters work; tests
 * that expect a signal or an exit status are skipped.
 */
#include <criterion/criterion.h>
#include <criterion/internal/ordered-set.h>
#include <criterion/parameterized.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

int criterion_run_all_tests(struct criterion_test_set *set);

enum outcome { OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_SKIPPED, OUTCOME_COUNT };

/* The test that is running. */
static struct {
    const struct criterion_suite *suite;
    const struct criterion_test *test;
    void *parameter; /* NULL unless it has one */
    enum outcome outcome;
    bool in_body;
    jmp_buf leave;
} current;

static void report(const char *file, unsigned line, const char *what)
{
    fprintf(stderr, "%s:%u: %s::%s: %s\n", file, line, current.test->category, current.test->name,
            what);
}

/* What stands in for libcriterion's own. */

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed)
        return;
    current.outcome = OUTCOME_FAILED;
    report(stats->file, stats->line, stats->message ? stats->message : "assertion failed");
}

void criterion_abort_test(void)
{
    longjmp(current.leave, 1);
}

void criterion_continue_test(void)
{
}

void criterion_skip_test(const char *format, ...)
{
    (void)format;
    current.outcome = OUTCOME_SKIPPED;
    longjmp(current.leave, 1);
}

void criterion_test_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    current.outcome = OUTCOME_FAILED;
    longjmp(current.leave, 1);
}

void cr_log(enum criterion_severity severity, const char *format, ...)
{
    (void)severity;
    (void)format;
}

void criterion_internal_test_setup(void)
{
    if (current.suite->data && current.suite->data->init)
        current.suite->data->init();
    if (current.test->data->init)
        current.test->data->init();
}

void criterion_internal_test_main(void (*body)(void))
{
    current.in_body = true;
    if (current.parameter)
        ((void (*)(void *))body)(current.parameter);
    else
        body();
    current.in_body = false;
}

void criterion_internal_test_teardown(void)
{
    if (current.test->data->fini)
        current.test->data->fini();
    if (current.suite->data && current.suite->data->fini)
        current.suite->data->fini();
}

/* Running. */

static enum outcome run_once(void *parameter)
{
    current.parameter = parameter;
    current.outcome = OUTCOME_PASSED;
    current.in_body = false;
    if (setjmp(current.leave) == 0)
        current.test->test();
    else if (current.in_body && setjmp(current.leave) == 0)
        criterion_internal_test_teardown();
    return current.outcome;
}

static void run_test(int *outcomes)
{
    const struct criterion_test_extra_data *data = current.test->data;
    struct criterion_test_params params;

    if (data->disabled || (current.suite->data && current.suite->data->disabled) ||
        data->signal != 0 || data->exit_code != 0) {
        outcomes[OUTCOME_SKIPPED]++;
        return;
    }
    if (data->kind_ != CR_TEST_PARAMETERIZED) {
        outcomes[run_once(NULL)]++;
        return;
    }
    params = data->param_();
    for (size_t i = 0; i < params.length; i++)
        outcomes[run_once((char *)params.params + i * params.size)]++;
    if (params.cleanup)
        params.cleanup(&params);
}

int criterion_run_all_tests(struct criterion_test_set *set)
{
    int outcomes[OUTCOME_COUNT] = {0};

    for (struct criterion_ordered_set_node *s = set->suites->first; s; s = s->next) {
        struct criterion_suite_set *suite = (struct criterion_suite_set *)(s + 1);

        current.suite = &suite->suite;
        for (struct criterion_ordered_set_node *t = suite->tests ? suite->tests->first : NULL; t;
             t = t->next) {
            current.test = (struct criterion_test *)(t + 1);
            run_test(outcomes);
        }
    }
    fprintf(stderr, "in one process: %d passed, %d failed, %d skipped\n", outcomes[OUTCOME_PASSED],
            outcomes[OUTCOME_FAILED], outcomes[OUTCOME_SKIPPED]);
    /* Criterion's convention: true is success. */
    return outcomes[OUTCOME_FAILED] == 0;
}
