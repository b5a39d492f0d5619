/* The shape of state.db as an ordered list of steps: step i lifts version i to i + 1 in one
 * transaction. A step that was released is never changed; a new shape is a new step. Ids are
 * 16-byte blobs, times nanoseconds since 1970 UTC, texts UTF-8. Neighbour: sqlite.c opens the file
 * with these. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#define SCHEMA_WORDS_MAX 8192

static const char schema_tables[] =
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO counters VALUES ('events', 0), ('findings', 0), ('duplicates', 0), ('anchored', "
    "0);"

    "CREATE TABLE hosts ("
    "  id BLOB PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE,"
    "  key_sha256 BLOB NOT NULL CHECK (length(key_sha256) = 32),"
    "  enrolled INTEGER NOT NULL,"
    "  seen INTEGER NOT NULL,"
    "  is_revoked INTEGER NOT NULL,"
    "  is_connected INTEGER NOT NULL,"
    "  clock_offset INTEGER NOT NULL,"
    "  acknowledged INTEGER NOT NULL,"
    "  dropped INTEGER NOT NULL DEFAULT 0,"
    "  status BLOB"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX hosts_key ON hosts (key_sha256);"

    "CREATE TABLE alerts ("
    "  number INTEGER PRIMARY KEY,"
    "  finding BLOB NOT NULL CHECK (length(finding) = 16),"
    "  host BLOB REFERENCES hosts (id),"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),"
    "  severity INTEGER NOT NULL,"
    "  is_drill INTEGER NOT NULL,"
    "  first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  detector TEXT NOT NULL,"
    "  title TEXT NOT NULL,"
    "  taken_by TEXT NOT NULL DEFAULT '',"
    "  close_reason TEXT NOT NULL DEFAULT '',"
    "  changed INTEGER NOT NULL UNIQUE"
    ") STRICT;"
    "CREATE INDEX alerts_state ON alerts (state, number);"
    "CREATE INDEX alerts_open ON alerts (number) WHERE state < 2;"
    "CREATE INDEX alerts_host ON alerts (host, number);"
    "CREATE INDEX alerts_host_open ON alerts (host) WHERE state < 2;"
    "CREATE INDEX alerts_severe ON alerts (number) WHERE severity >= 3;"
    "CREATE INDEX alerts_drill ON alerts (number) WHERE is_drill = 1;"
    "CREATE INDEX alerts_fold ON alerts (host, detector, title, last) WHERE state < 2;"

    "CREATE TABLE findings ("
    "  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    "  alert INTEGER NOT NULL REFERENCES alerts (number),"
    "  revision INTEGER NOT NULL,"
    "  time INTEGER NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX findings_alert ON findings (alert);"

    "CREATE TABLE users ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL UNIQUE,"
    "  full_name TEXT NOT NULL,"
    "  role INTEGER NOT NULL,"
    "  password TEXT NOT NULL,"
    "  totp_secret BLOB NOT NULL,"
    "  is_disabled INTEGER NOT NULL,"
    "  must_change_password INTEGER NOT NULL,"
    "  language INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  last_login INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE sessions ("
    "  token_sha256 BLOB PRIMARY KEY CHECK (length(token_sha256) = 32),"
    "  user INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,"
    "  created INTEGER NOT NULL,"
    "  used INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  address TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX sessions_user ON sessions (user);"
    "CREATE INDEX sessions_expires ON sessions (expires);"

    "CREATE TABLE tokens ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),"
    "  note TEXT NOT NULL,"
    "  created_by TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  used INTEGER NOT NULL DEFAULT 0,"
    "  used_by BLOB"
    ") STRICT;"

    "CREATE TABLE actions ("
    "  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    "  host BLOB NOT NULL REFERENCES hosts (id),"
    "  action INTEGER NOT NULL,"
    "  finding BLOB,"
    "  asked INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  answered INTEGER NOT NULL DEFAULT 0,"
    "  result INTEGER NOT NULL DEFAULT 0,"
    "  detail TEXT NOT NULL DEFAULT ''"
    ") STRICT;"
    "CREATE INDEX actions_asked ON actions (asked);"
    "CREATE INDEX actions_host ON actions (host, asked);"
    "CREATE INDEX actions_finding ON actions (finding, asked);"
    "CREATE INDEX actions_state ON actions (state, asked);"

    "CREATE TABLE audit ("
    "  number INTEGER PRIMARY KEY,"
    "  time INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  act TEXT NOT NULL,"
    "  object TEXT NOT NULL,"
    "  detail TEXT NOT NULL,"
    "  chain BLOB NOT NULL CHECK (length(chain) = 32)"
    ") STRICT;"
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN"
    "  SELECT RAISE(ABORT, 'the audit log only grows');"
    "END;"
    "CREATE TRIGGER audit_is_fixed BEFORE UPDATE ON audit BEGIN"
    "  SELECT RAISE(ABORT, 'the audit log only grows');"
    "END;";

/* Search by any part of a word, without dấu: SQLite's own trigram index over the folded title, in
 * the languages it is shown in, and the folded name of the host. Triggers may not feed it: an
 * untrusted schema must not reach virtual tables. sqlite/alert.c and sqlite/host.c do. */
static const char schema_words[] =
    "ALTER TABLE alerts ADD COLUMN title_words TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE alerts ADD COLUMN host_words TEXT NOT NULL DEFAULT '';"
    "UPDATE alerts SET title_words = canhgac_words(title),"
    "  host_words = canhgac_words(coalesce((SELECT name FROM hosts WHERE id = host), ''));"
    "CREATE VIRTUAL TABLE alert_words USING fts5 (title_words, host_words, content = 'alerts',"
    "  content_rowid = 'number', tokenize = 'trigram', columnsize = 0);"
    "INSERT INTO alert_words (alert_words) VALUES ('rebuild');";

/* How many alerts are in each state, and open at each host: at a million open ones, the overview
 * would spend its time with counting rows. Triggers keep both, so that no statement can forget to.
 */
static const char schema_alert_counts[] =
    "CREATE TABLE alert_counts (state INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;"
    "INSERT INTO alert_counts VALUES (0, 0), (1, 0), (2, 0);"
    "UPDATE alert_counts SET"
    "  count = (SELECT count(*) FROM alerts WHERE state = alert_counts.state);"
    "ALTER TABLE hosts ADD COLUMN open_alerts INTEGER NOT NULL DEFAULT 0;"
    "UPDATE hosts SET"
    "  open_alerts = (SELECT count(*) FROM alerts WHERE host = hosts.id AND state < 2);"
    "DROP INDEX alerts_host_open;"
    "CREATE TRIGGER alert_counts_insert AFTER INSERT ON alerts BEGIN"
    "  UPDATE alert_counts SET count = count + 1 WHERE state = NEW.state;"
    "  UPDATE hosts SET open_alerts = open_alerts + 1 WHERE id = NEW.host AND NEW.state < 2;"
    "END;"
    "CREATE TRIGGER alert_counts_delete AFTER DELETE ON alerts BEGIN"
    "  UPDATE alert_counts SET count = count - 1 WHERE state = OLD.state;"
    "  UPDATE hosts SET open_alerts = open_alerts - 1 WHERE id = OLD.host AND OLD.state < 2;"
    "END;"
    "CREATE TRIGGER alert_counts_update AFTER UPDATE OF state, host ON alerts BEGIN"
    "  UPDATE alert_counts SET count = count - 1 WHERE state = OLD.state;"
    "  UPDATE alert_counts SET count = count + 1 WHERE state = NEW.state;"
    "  UPDATE hosts SET open_alerts = open_alerts - 1 WHERE id = OLD.host AND OLD.state < 2;"
    "  UPDATE hosts SET open_alerts = open_alerts + 1 WHERE id = NEW.host AND NEW.state < 2;"
    "END;";

/* A drill never mixes into real figures: neither in what is open in all nor at a host. */
static const char schema_real_counts[] =
    "DROP TRIGGER alert_counts_insert; DROP TRIGGER alert_counts_delete;"
    "DROP TRIGGER alert_counts_update;"
    "UPDATE alert_counts SET count ="
    "  (SELECT count(*) FROM alerts WHERE state = alert_counts.state AND is_drill = 0);"
    "UPDATE hosts SET open_alerts ="
    "  (SELECT count(*) FROM alerts WHERE host = hosts.id AND state < 2 AND is_drill = 0);"
    "CREATE TRIGGER alert_counts_insert AFTER INSERT ON alerts WHEN NEW.is_drill = 0 BEGIN"
    "  UPDATE alert_counts SET count = count + 1 WHERE state = NEW.state;"
    "  UPDATE hosts SET open_alerts = open_alerts + 1 WHERE id = NEW.host AND NEW.state < 2;"
    "END;"
    "CREATE TRIGGER alert_counts_delete AFTER DELETE ON alerts WHEN OLD.is_drill = 0 BEGIN"
    "  UPDATE alert_counts SET count = count - 1 WHERE state = OLD.state;"
    "  UPDATE hosts SET open_alerts = open_alerts - 1 WHERE id = OLD.host AND OLD.state < 2;"
    "END;"
    "CREATE TRIGGER alert_counts_update AFTER UPDATE OF state, host ON alerts"
    "  WHEN NEW.is_drill = 0 BEGIN"
    "  UPDATE alert_counts SET count = count - 1 WHERE state = OLD.state;"
    "  UPDATE alert_counts SET count = count + 1 WHERE state = NEW.state;"
    "  UPDATE hosts SET open_alerts = open_alerts - 1 WHERE id = OLD.host AND OLD.state < 2;"
    "  UPDATE hosts SET open_alerts = open_alerts + 1 WHERE id = NEW.host AND NEW.state < 2;"
    "END;";

/* NULL as a value: what the console had set was taken back. */
static const char schema_settings[] = "CREATE TABLE settings ("
                                      "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
                                      "  name TEXT NOT NULL,"
                                      "  value TEXT,"
                                      "  before TEXT,"
                                      "  time INTEGER NOT NULL,"
                                      "  actor TEXT NOT NULL,"
                                      "  reason TEXT NOT NULL"
                                      ") STRICT;"
                                      "CREATE INDEX settings_name ON settings (name, number);";

/* What must not be forgotten over a restart: the last code of each authenticator, and the time. */
static const char schema_last_times[] =
    "ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;"
    "INSERT INTO counters VALUES ('clock', 0);";

/* Watched sites. What a look changes with every look is small and stands apart: one row a page and
 * view, one short series a site. What is kept of the past is changes only, and the texts that they
 * name by their hash. */
static const char schema_sites[] =
    "CREATE TABLE sites ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL,"
    "  url TEXT NOT NULL UNIQUE,"
    "  unit TEXT NOT NULL,"
    "  service INTEGER NOT NULL,"
    "  permission TEXT NOT NULL,"
    "  permitted_by TEXT NOT NULL,"
    "  permitted INTEGER NOT NULL,"
    "  interval INTEGER NOT NULL,"
    "  views INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  state_since INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  verdict INTEGER NOT NULL DEFAULT 0,"
    "  failure INTEGER NOT NULL DEFAULT 0,"
    "  since INTEGER NOT NULL DEFAULT 0,"
    "  checked INTEGER NOT NULL DEFAULT 0,"
    "  changed INTEGER NOT NULL DEFAULT 0,"
    "  certificate_end INTEGER NOT NULL DEFAULT 0,"
    "  open_alerts INTEGER NOT NULL DEFAULT 0,"
    "  outage BLOB,"
    "  outage_revision INTEGER NOT NULL DEFAULT 0,"
    "  certificate_told INTEGER NOT NULL DEFAULT 0,"
    "  series BLOB NOT NULL DEFAULT x'',"
    "  memory BLOB NOT NULL DEFAULT x'' CHECK (length(memory) <= 16384),"
    "  name_words TEXT NOT NULL,"
    "  unit_words TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX sites_order ON sites (unit_words, name_words, number) WHERE state < 2;"

    "CREATE TABLE site_windows ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  site INTEGER NOT NULL REFERENCES sites (number),"
    "  begins INTEGER NOT NULL,"
    "  ends INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX site_windows_site ON site_windows (site, ends);"

    "CREATE TABLE site_pages ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  site INTEGER NOT NULL REFERENCES sites (number),"
    "  url TEXT NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  profile BLOB NOT NULL DEFAULT x'' CHECK (length(profile) <= 65536),"
    "  UNIQUE (site, url)"
    ") STRICT;"

    "CREATE TABLE site_looks ("
    "  page INTEGER NOT NULL REFERENCES site_pages (number),"
    "  view INTEGER NOT NULL,"
    "  site INTEGER NOT NULL,"
    "  time INTEGER NOT NULL,"
    "  verdict INTEGER NOT NULL,"
    "  failure INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL,"
    "  since INTEGER NOT NULL,"
    "  change INTEGER NOT NULL,"
    "  alarm BLOB,"
    "  alarm_revision INTEGER NOT NULL,"
    "  alarm_rank INTEGER NOT NULL,"
    "  text BLOB,"
    "  body BLOB NOT NULL,"
    "  PRIMARY KEY (page, view)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX site_looks_site ON site_looks (site);"

    "CREATE TABLE site_changes ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  site INTEGER NOT NULL REFERENCES sites (number),"
    "  page INTEGER NOT NULL REFERENCES site_pages (number),"
    "  time INTEGER NOT NULL,"
    "  verdict INTEGER NOT NULL,"
    "  body BLOB NOT NULL,"
    "  before BLOB,"
    "  after BLOB,"
    "  source BLOB,"
    "  alert INTEGER NOT NULL DEFAULT 0,"
    "  decision INTEGER NOT NULL DEFAULT 0,"
    "  decided INTEGER NOT NULL DEFAULT 0,"
    "  decided_by TEXT NOT NULL DEFAULT '',"
    "  decided_why TEXT NOT NULL DEFAULT ''"
    ") STRICT;"
    "CREATE INDEX site_changes_site ON site_changes (site, number);"
    "CREATE INDEX site_changes_waiting ON site_changes (decided) WHERE decision = 1;"
    "CREATE INDEX site_changes_before ON site_changes (before);"
    "CREATE INDEX site_changes_after ON site_changes (after);"
    "CREATE INDEX site_changes_source ON site_changes (source);"
    "CREATE INDEX site_changes_page ON site_changes (page);"
    "CREATE INDEX site_changes_alert ON site_changes (alert) WHERE alert <> 0;"
    "CREATE INDEX site_looks_text ON site_looks (text);"

    "CREATE TABLE evidence ("
    "  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),"
    "  time INTEGER NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT;"

    "ALTER TABLE alerts ADD COLUMN site INTEGER REFERENCES sites (number);"
    "CREATE INDEX alerts_site ON alerts (site, number) WHERE site IS NOT NULL;"
    "DROP INDEX alerts_fold;"
    "CREATE INDEX alerts_fold ON alerts (host, site, detector, title, last) WHERE state < 2;"
    "CREATE TRIGGER site_alerts_insert AFTER INSERT ON alerts"
    "  WHEN NEW.is_drill = 0 AND NEW.site IS NOT NULL BEGIN"
    "  UPDATE sites SET open_alerts = open_alerts + 1 WHERE number = NEW.site AND NEW.state < 2;"
    "END;"
    "CREATE TRIGGER site_alerts_update AFTER UPDATE OF state ON alerts"
    "  WHEN NEW.is_drill = 0 AND NEW.site IS NOT NULL BEGIN"
    "  UPDATE sites SET open_alerts = open_alerts - 1 WHERE number = OLD.site AND OLD.state < 2;"
    "  UPDATE sites SET open_alerts = open_alerts + 1 WHERE number = NEW.site AND NEW.state < 2;"
    "END;";

/* What pages looked like; a look that stays the same is one row. */
static const char schema_pictures[] =
    "CREATE TABLE site_pictures ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  site INTEGER NOT NULL REFERENCES sites (number),"
    "  page INTEGER NOT NULL REFERENCES site_pages (number),"
    "  view INTEGER NOT NULL,"
    "  first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  visual BLOB NOT NULL CHECK (length(visual) <= 128),"
    "  score INTEGER NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),"
    "  png BLOB CHECK (length(png) = 32)"
    ") STRICT;"
    "CREATE INDEX site_pictures_page ON site_pictures (page, view, last);"
    "CREATE INDEX site_pictures_site ON site_pictures (site, last);"
    "CREATE INDEX site_pictures_png ON site_pictures (png);";

/* Logs: who sends them beside agents (each a host of kind 1: nobody can prove to be it), what each
 * host and sender writes, what people add to the rules (each change is a row, the newest of a
 * document counts), how often a rule hit, and what must outlive the processes that judge and
 * receive. */
static const char schema_logs[] =
    "ALTER TABLE hosts ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE hosts ADD COLUMN via TEXT NOT NULL DEFAULT '';"

    "CREATE TABLE sender_tokens ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL UNIQUE,"
    "  secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),"
    "  created INTEGER NOT NULL,"
    "  created_by TEXT NOT NULL,"
    "  used INTEGER NOT NULL DEFAULT 0,"
    "  revoked INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "CREATE TABLE log_sources ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  host BLOB NOT NULL CHECK (length(host) = 16),"
    "  name TEXT NOT NULL,"
    "  format TEXT NOT NULL,"
    "  first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  gap INTEGER NOT NULL DEFAULT 0,"
    "  entries INTEGER NOT NULL DEFAULT 0,"
    "  bytes INTEGER NOT NULL DEFAULT 0,"
    "  faulty INTEGER NOT NULL DEFAULT 0,"
    "  unjudged INTEGER NOT NULL DEFAULT 0,"
    "  matched INTEGER NOT NULL DEFAULT 0,"
    "  dropped INTEGER NOT NULL DEFAULT 0,"
    "  series BLOB NOT NULL DEFAULT x'',"
    "  silence BLOB NOT NULL DEFAULT x'',"
    "  alert INTEGER NOT NULL DEFAULT 0,"
    "  muted INTEGER NOT NULL DEFAULT 0,"
    "  muted_by TEXT NOT NULL DEFAULT '',"
    "  muted_why TEXT NOT NULL DEFAULT '',"
    "  UNIQUE (host, name)"
    ") STRICT;"
    "CREATE INDEX log_sources_silent ON log_sources (last) WHERE alert <> 0;"

    "CREATE TABLE rule_documents ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  title TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  rule TEXT NOT NULL DEFAULT '',"
    "  is_on INTEGER NOT NULL,"
    "  until INTEGER NOT NULL DEFAULT 0,"
    "  time INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX rule_documents_id ON rule_documents (id, number);"

    "CREATE TABLE rule_hits ("
    "  rule TEXT NOT NULL,"
    "  day INTEGER NOT NULL,"
    "  title TEXT NOT NULL,"
    "  level INTEGER NOT NULL,"
    "  hits INTEGER NOT NULL,"
    "  told INTEGER NOT NULL,"
    "  kept INTEGER NOT NULL,"
    "  PRIMARY KEY (rule, day)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE log_states ("
    "  name TEXT NOT NULL PRIMARY KEY,"
    "  time INTEGER NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;";

static const char schema_taken[] = "CREATE TABLE posts_taken ("
                                   "  number INTEGER PRIMARY KEY,"
                                   "  post INTEGER NOT NULL,"
                                   "  time INTEGER NOT NULL,"
                                   "  hashes BLOB NOT NULL"
                                   ") STRICT;"
                                   "CREATE INDEX posts_taken_post ON posts_taken (post, number);";

/* As the console tells a site's state: the gravest first, and what rests or was not looked at yet
 * beside what is in order. */
static const char schema_gravity[] =
    "ALTER TABLE sites ADD COLUMN gravity INTEGER AS (CASE"
    "  WHEN state <> 0 OR checked = 0 THEN 4 WHEN verdict = 4 THEN 0"
    "  WHEN verdict = 0 AND " SITE_IS_DOWN " THEN 1 WHEN verdict = 3 THEN 2"
    "  WHEN verdict = 0 THEN 3 ELSE 4 END) VIRTUAL;"
    "DROP INDEX sites_order;"
    "CREATE INDEX sites_order ON sites (gravity, unit_words, name_words, number) WHERE state < 2;";

static const char schema_scripts[] = "CREATE TABLE site_scripts ("
                                     "  site INTEGER PRIMARY KEY REFERENCES sites (number),"
                                     "  bytes BLOB NOT NULL CHECK (length(bytes) <= 65536)"
                                     ") STRICT;";

/* Addresses that sites had before people changed them: a list that is read at each start may name
 * them still. */
static const char schema_addresses[] = "CREATE TABLE site_addresses ("
                                       "  url TEXT PRIMARY KEY"
                                       ") STRICT, WITHOUT ROWID;";

const char *const store_steps[] = {
    schema_tables,     schema_words,   schema_alert_counts, schema_real_counts, schema_settings,
    schema_last_times, schema_sites,   schema_pictures,     schema_logs,        schema_taken,
    schema_gravity,    schema_scripts, schema_addresses};
const unsigned store_step_count = sizeof(store_steps) / sizeof(store_steps[0]);

static int schema_put_folded(struct buf *buf, const char *text)
{
    char folded[SCHEMA_WORDS_MAX];
    size_t len = utf8_fold(str_from(text), folded, sizeof(folded));

    return buf_put(buf, folded, len < sizeof(folded) ? len : sizeof(folded) - 1);
}

/* canhgac_words(text): folded, and behind it folded in Vietnamese when that differs. */
static void schema_words_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);
    const char *translated;
    struct buf buf;

    (void)count;
    if (text == NULL) {
        sqlite3_result_text(context, "", 0, SQLITE_STATIC);
        return;
    }
    translated = text_in(LANGUAGE_VI, text);
    buf_init(&buf, 2 * SCHEMA_WORDS_MAX + 2);
    (void)schema_put_folded(&buf, text);
    if (!str_is_text(str_from(text), translated)) {
        (void)buf_put_byte(&buf, '\n');
        (void)schema_put_folded(&buf, translated);
    }
    if (buf_error(&buf) < 0) {
        sqlite3_result_error_nomem(context);
    } else {
        sqlite3_result_text(context, buf.ptr != NULL ? buf.ptr : "", (int)buf.len,
                            SQLITE_TRANSIENT);
    }
    buf_done(&buf);
}

int store_functions(sqlite3 *handle)
{
    return sqlite3_create_function_v2(handle, "canhgac_words", 1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      schema_words_of, NULL, NULL, NULL);
}
