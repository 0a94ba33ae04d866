/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast hwdb show`: every field of an entry with its value, source and doubts. */
#include "cli/context.h"
#include "cli/entries.h"
#include "cli/kernel_table.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { VALUE_BYTES = 256 };

/* GPUs and models offer the same functions over their own structures. */
struct subject {
    const struct wavecast_hwdb *db;
    const struct cli_entry *entry;
};

static size_t field_count(const struct subject *subject)
{
    return subject->entry->kind == CLI_ENTRY_GPU ? wavecast_gpu_field_count()
                                                 : wavecast_model_field_count();
}

static const struct wavecast_field *field_at(const struct subject *subject, size_t index)
{
    return subject->entry->kind == CLI_ENTRY_GPU ? wavecast_gpu_field_at(index)
                                                 : wavecast_model_field_at(index);
}

static double field_get(const struct subject *subject, const struct wavecast_field *field)
{
    return subject->entry->kind == CLI_ENTRY_GPU
               ? wavecast_gpu_field_get(subject->entry->gpu, field)
               : wavecast_model_field_get(subject->entry->model, field);
}

static const char *field_format(const struct subject *subject, const struct wavecast_field *field,
                                char *buffer)
{
    return subject->entry->kind == CLI_ENTRY_GPU
               ? wavecast_gpu_field_format(subject->entry->gpu, field, buffer, VALUE_BYTES)
               : wavecast_model_field_format(subject->entry->model, field, buffer, VALUE_BYTES);
}

/* False when the database does not know the value. */
static bool provenance(const struct subject *subject, const struct wavecast_field *field,
                       struct wavecast_provenance *out)
{
    const struct cli_entry *entry = subject->entry;
    enum wavecast_status status =
        entry->kind == CLI_ENTRY_GPU
            ? wavecast_hwdb_gpu_provenance_get(subject->db, entry->gpu->id, field->path, out, NULL)
            : wavecast_hwdb_model_provenance_get(subject->db, entry->model->id, field->path, out,
                                                 NULL);
    return status == WAVECAST_OK;
}

static bool is_number(const struct wavecast_field *field)
{
    return field->kind == WAVECAST_FIELD_NUMBER || field->kind == WAVECAST_FIELD_INTEGER;
}

static void put_value(struct cli_table *table, const struct subject *subject,
                      const struct wavecast_field *field)
{
    char buffer[VALUE_BYTES];
    if (is_number(field))
        cli_put_number(table, field_get(subject, field));
    else if (field->kind == WAVECAST_FIELD_FLAG)
        cli_put_flag(table, field_get(subject, field) > 0.0);
    else
        cli_put_text(table, field_format(subject, field, buffer));
    cli_cell_unit(table, field->unit);
}

static void put_unit(struct cli_table *table, const struct wavecast_field *field)
{
    cli_put_text(table, field->unit[0] != '\0' ? field->unit : NULL);
}

/* Source, citation, remark and date in all columns that show them. */
static void put_evidence(struct cli_table *table, enum wavecast_source source, const char *ref,
                         const char *note, const char *date)
{
    cli_put_text(table, source != WAVECAST_SOURCE_UNSTATED ? wavecast_source_name(source) : NULL);
    cli_put_text(table, ref);
    cli_put_text(table, note);
    cli_put_text(table, date);
    cli_put_format(table, "%s%s%s", ref != NULL ? ref : "", ref != NULL && note != NULL ? "; " : "",
                   note != NULL ? note : "");
}

static void put_origin(struct cli_table *table, const struct wavecast_provenance *origin)
{
    cli_put_text(table, origin->entry);
    cli_put_text(table, origin->file);
    cli_put_integer(table, origin->line);
}

static void put_alternative(struct cli_table *table, const struct wavecast_field *field,
                            const struct wavecast_alternative *alternative,
                            const struct wavecast_provenance *origin)
{
    cli_table_row(table, 1);
    cli_put_text(table, field->path);
    cli_put_text(table, "or");
    if (isnan(alternative->value))
        cli_put_text(table, alternative->text);
    else
        cli_put_number(table, alternative->value);
    cli_cell_unit(table, field->unit);
    cli_cell_tone(table, CLI_TONE_WEAK);
    put_unit(table, field);
    put_evidence(table, alternative->source, alternative->ref, alternative->note,
                 alternative->date);
    put_origin(table, origin);
}

static void put_field(struct cli_table *table, const struct subject *subject,
                      const struct wavecast_field *field)
{
    struct wavecast_provenance origin;
    bool known = provenance(subject, field, &origin);
    cli_table_row(table, 0);
    cli_put_text(table, field->path);
    cli_put_text(table, field->path);
    if (known)
        put_value(table, subject, field);
    else
        cli_put_unknown(table);
    put_unit(table, field);
    if (!known) {
        put_evidence(table, WAVECAST_SOURCE_UNSTATED, NULL, NULL, NULL);
        for (int i = 0; i < 3; i++)
            cli_put_unknown(table);
        return;
    }
    put_evidence(table, origin.source, origin.ref, origin.note, origin.date);
    put_origin(table, &origin);
    for (size_t i = 0; i < origin.alternative_count; i++)
        put_alternative(table, field, &origin.alternatives[i], &origin);
}

static void add_fields(struct cli_document *document, const struct subject *subject)
{
    static const struct cli_column columns[] = {
        {.key = "field", .flags = CLI_COLUMN_DETAIL},
        {.key = "label", .title = "field", .flags = CLI_COLUMN_TREE | CLI_COLUMN_TALK},
        {.key = "value", .kind = CLI_KIND_ANY},
        {.key = "unit", .flags = CLI_COLUMN_DETAIL},
        {.key = "source"},
        {.key = "ref", .flags = CLI_COLUMN_DETAIL},
        {.key = "note", .flags = CLI_COLUMN_DETAIL},
        {.key = "date", .flags = CLI_COLUMN_DETAIL},
        {.key = "evidence", .flags = CLI_COLUMN_WRAP | CLI_COLUMN_TALK},
        {.key = "entry", .flags = CLI_COLUMN_DETAIL},
        {.key = "file", .flags = CLI_COLUMN_DETAIL},
        {.key = "line", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
    };
    struct cli_table *table = cli_document_table(document, "fields", NULL);
    cli_table_children(table, "alternatives");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < field_count(subject); i++)
        put_field(table, subject, field_at(subject, i));
}

static void add_head(struct cli_document *document, const struct cli_entry *entry)
{
    static const struct cli_column columns[] = {{.key = "kind"}, {.key = "id"}};
    struct cli_table *head = cli_document_record(document, NULL, NULL);
    bool gpu = entry->kind == CLI_ENTRY_GPU;
    cli_table_columns(head, columns, COUNT_OF(columns));
    cli_table_row(head, 0);
    cli_put_text(head, gpu ? "gpu" : "model");
    cli_put_text(head, gpu ? entry->gpu->id : entry->model->id);
}

static void add_entry(struct cli_document *document, const struct subject *subject)
{
    const struct cli_entry *entry = subject->entry;
    bool gpu = entry->kind == CLI_ENTRY_GPU;
    add_head(document, entry);
    add_fields(document, subject);
    cli_entries_texts(document, "references", "references",
                      gpu ? entry->gpu->references : entry->model->references,
                      gpu ? entry->gpu->reference_count : entry->model->reference_count);
    cli_entries_texts(document, "notes", "notes", gpu ? entry->gpu->notes : entry->model->notes,
                      gpu ? entry->gpu->note_count : entry->model->note_count);
}

static enum cli_exit show_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_entry entry;
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_entry_find(context.db, arguments->operands[0], &entry);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        struct subject subject = {context.db, &entry};
        if (entry.kind == CLI_ENTRY_KERNEL)
            cli_kernel_show(document, entry.kernel);
        else
            add_entry(document, &subject);
        code = cli_document_print(document, arguments);
    }
    cli_context_close(&context);
    return code;
}

static const struct cli_option_group *const show_groups[] = {&cli_group_database, &cli_group_output,
                                                             NULL};

const struct cli_verb cli_verb_hwdb_show = {
    .name = "hwdb show",
    .page = "wavecast-hwdb",
    .summary = "Show every field of a GPU, model or kernel with its source",
    .operands = "ID",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_IDS,
    .groups = show_groups,
    .example = "wavecast hwdb show h100-sxm",
    .run = show_run,
};
