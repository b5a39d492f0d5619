/* See account.h. */
#include "cli/hunt/account.h"

#include "base/banned.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/vault_print.h"
#include "codec/json.h"

static struct account_row *account_row(struct hunt_account *account,
                                       const struct log_format *format)
{
    for (size_t i = 0; i < ACCOUNT_FORMATS_MAX && log_formats[i] != NULL; i++) {
        if (log_formats[i] == format) {
            return &account->formats[i];
        }
    }
    return &account->formats[ACCOUNT_FORMATS_MAX - 1];
}

static void counts_add(struct log_counts *sum, const struct log_counts *counts)
{
    sum->bytes += counts->bytes;
    sum->entries += counts->entries;
    sum->faulty += counts->faulty;
    sum->undated += counts->undated;
    sum->passed += counts->passed;
}

void account_add_file(struct hunt_account *account, const struct log_format *format)
{
    account_row(account, format)->files++;
    account->all.files++;
}

/* They are in no count of the format's. */
static void account_add_unparsed(struct hunt_account *account, const struct hunt_block *block)
{
    const struct log_counts counts = {.bytes = block->unparsed_bytes, .entries = block->unparsed};

    counts_add(&account_row(account, block->file->format)->counts, &counts);
    counts_add(&account->all.counts, &counts);
}

void account_add_block(struct hunt_account *account, const struct hunt_block *block)
{
    counts_add(&account_row(account, block->file->format)->counts, &block->counts);
    counts_add(&account->all.counts, &block->counts);
    account->matched += block->matched;
    account->outside += block->outside;
    account->found += block->found;
    account->left += block->left;
    account_add_unparsed(account, block);
}

/* ---- JSON */

static void put_number(struct json_writer *json, const char *key, uint64_t value)
{
    json_put_key(json, key);
    json_put_u64(json, value);
}

static void put_counts_json(struct json_writer *json, const struct account_row *row)
{
    put_number(json, "files", row->files);
    put_number(json, "bytes", row->counts.bytes);
    put_number(json, "entries", row->counts.entries);
    put_number(json, "faulty", row->counts.faulty);
    put_number(json, "undated", row->counts.undated);
    put_number(json, "passed", row->counts.passed);
}

static uint64_t account_unmatched(const struct hunt_account *account)
{
    return account->all.counts.entries - account->matched - account->outside - account->left;
}

static void put_rules_json(struct json_writer *json, const struct hunt_account *account)
{
    put_number(json, "rules", account->rules);
    put_number(json, "correlations", account->correlations);
    put_number(json, "refused", account->refused);
    put_number(json, "regex_limits", account->limits);
    put_number(json, "late", account->links.late);
    put_number(json, "evicted", account->links.evicted);
    put_number(json, "ungrouped", account->links.ungrouped);
}

void account_put_json(const struct hunt_account *account, struct buf *out)
{
    struct json_writer json;

    json_begin(&json, out);
    json_open_object(&json);
    json_put_key(&json, "account");
    json_open_object(&json);
    put_counts_json(&json, &account->all);
    put_number(&json, "matched", account->matched);
    put_number(&json, "unmatched", account_unmatched(account));
    put_number(&json, "outside", account->outside);
    put_number(&json, "matches", account->found);
    put_number(&json, "correlated", account->correlated);
    put_number(&json, "left_out", account->left);
    put_number(&json, "unread", account->unread);
    json_put_key(&json, "stopped");
    json_put_bool(&json, account->is_stopped);
    put_rules_json(&json, account);
    json_put_key(&json, "formats");
    json_open_object(&json);
    for (size_t i = 0; i < ACCOUNT_FORMATS_MAX && log_formats[i] != NULL; i++) {
        if (account->formats[i].files != 0) {
            json_put_key(&json, log_formats[i]->name);
            json_open_object(&json);
            put_counts_json(&json, &account->formats[i]);
            json_close_object(&json);
        }
    }
    json_close_object(&json);
    json_put_key(&json, "seconds");
    json_put_double(&json, (double)(account->matching / 1000000) / 1000);
    json_close_object(&json);
    json_close_object(&json);
    (void)buf_put_byte(out, '\n');
}

/* ---- sentences */

static void put_formats_text(const struct hunt_account *account, struct buf *out)
{
    for (size_t i = 0; i < ACCOUNT_FORMATS_MAX && log_formats[i] != NULL; i++) {
        const struct account_row *row = &account->formats[i];
        char size[VAULT_SIZE_TEXT];

        if (row->files == 0) {
            continue;
        }
        vault_print_size(row->counts.bytes, size);
        (void)buf_putf(out, "  %-10s ", log_formats[i]->name);
        (void)buf_putf(
            out,
            _("%llu files, %s, %llu entries, %llu of them faulty, %llu without a time, %llu lines "
              "that are none"),
            (unsigned long long)row->files, size, (unsigned long long)row->counts.entries,
            (unsigned long long)row->counts.faulty, (unsigned long long)row->counts.undated,
            (unsigned long long)row->counts.passed);
        (void)buf_put_byte(out, '\n');
    }
}

static void put_rate_text(const struct hunt_account *account, struct buf *out)
{
    double seconds = (double)account->matching / (double)NS_PER_S;
    char size[VAULT_SIZE_TEXT];

    vault_print_size((uint64_t)((double)account->all.counts.bytes / (seconds + 1e-9)), size);
    (void)buf_putf(out,
                   _("%.1f s, %.0f entries and %s a second, with %zu rules and %zu "
                     "correlations"),
                   seconds, (double)account->all.counts.entries / (seconds + 1e-9), size,
                   account->rules, account->correlations);
    (void)buf_put_byte(out, '\n');
}

/* A loss or a doubt: told when there is one. */
static void put_doubt(struct buf *out, uint64_t count, const char *what)
{
    if (count != 0) {
        (void)buf_putf(out, "%llu %s\n", (unsigned long long)count, what);
    }
}

void account_put_text(const struct hunt_account *account, struct buf *out)
{
    (void)buf_putf(
        out,
        _("%llu entries read = %llu matched + %llu not + %llu outside the time asked "
          "for; %llu matches, %llu correlations"),
        (unsigned long long)account->all.counts.entries, (unsigned long long)account->matched,
        (unsigned long long)account_unmatched(account), (unsigned long long)account->outside,
        (unsigned long long)account->found, (unsigned long long)account->correlated);
    (void)buf_put_byte(out, '\n');
    put_formats_text(account, out);
    put_rate_text(account, out);
    put_doubt(out, account->unread, _("files were not read to the end: see above"));
    put_doubt(out, account->left,
              _("records were left out, since they end the process that reads: see above"));
    put_doubt(out, account->limits, _("entries were too costly to be judged in full"));
    put_doubt(out, account->links.late, _("matches came too late for their correlation"));
    put_doubt(out, account->links.evicted,
              _("groups of correlations had to go, for want of memory"));
    put_doubt(out, account->refused, _("rules were refused; canhgac rules check PATH… shows why"));
    if (account->is_stopped) {
        (void)buf_put_text(out, _("stopped: this is what was found until then"));
        (void)buf_put_byte(out, '\n');
    }
}
