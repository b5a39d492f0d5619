/* Rules for paths, and names that web servers execute. The lists are those of the servers' own
 * default handlers (Apache with mod_php and mod_cgi, PHP-FPM, IIS, Tomcat) and the doubles that
 * AddHandler makes of them. */
#include "detect/integrity/classify.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/time.h"

#include <sys/stat.h>

#define BACKDATED_NS (30 * 24 * 3600 * NS_PER_S)

const struct str class_default_uploads[] = {
    {"upload", 6},          {"uploads", 7},   {"wp-content/uploads", 18}, {"sites/*/files", 13},
    {"media/k2/items", 14}, {"userfiles", 9}, {"attachments", 11},        {NULL, 0},
};

const struct str class_default_contents[] = {
    {"cache", 5}, {".cache", 6}, {"tmp", 3}, {"temp", 4}, {"logs", 4}, {"sessions", 8}, {NULL, 0},
};

/* Executed by the name's last part. */
static const char *const script_names[] = {
    "ctp", "inc",  "ashx", "asmx", "asax", "ascx", "asa", "cer",  "cdx",  "cshtml", "vbhtml",
    "svc", "soap", "jspf", "jsw",  "jsv",  "jtml", "war", "fcgi", "pl",   "pm",     "py",
    "rb",  "sh",   "bash", "cfm",  "cfml", "cfc",  "lua", "stm",  "shtm",
};

/* By any part: a server told to handle .php also handles x.php.jpg. Short words that file names are
 * made of (so, pl, do) are not among them. */
static const char *const double_names[] = {
    "php",  "php2", "php3", "php4", "php5",  "php6", "php7", "php8", "pht",  "phtm", "phtml",
    "phps", "phar", "pgif", "hphp", "shtml", "asp",  "aspx", "jsp",  "jspx", "cgi",
};

static const char *const handler_names[] = {
    ".htaccess", "web.config", ".user.ini", "php.ini", ".htpasswd", "global.asax",
};

static bool glob_part_matches(struct str glob, struct str part)
{
    size_t g = 0;
    size_t p = 0;
    size_t star = SIZE_MAX;
    size_t mark = 0;

    while (p < part.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            star = g++;
            mark = p;
        } else if (g < glob.len && (glob.ptr[g] == '?' || glob.ptr[g] == part.ptr[p])) {
            g++;
            p++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            p = ++mark;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*') {
        g++;
    }
    return g == glob.len;
}

static bool glob_matches_from(struct str glob, struct str path)
{
    struct str want;
    struct str part;

    while (str_cut(&glob, '/', &want)) {
        if (!str_cut(&path, '/', &part) || !glob_part_matches(want, part)) {
            return false;
        }
    }
    return true;
}

bool class_glob_matches(struct str glob, struct str path)
{
    struct str part;

    while (glob.len != 0 && glob.ptr[glob.len - 1] == '/') {
        glob.len--;
    }
    if (glob.len == 0 || path.len == 0) {
        return false;
    }
    if (str_find_byte(glob, '/') != glob.len) {
        return glob_matches_from(glob.ptr[0] == '/' ? str_slice(glob, 1, glob.len) : glob, path);
    }
    while (str_cut(&path, '/', &part)) {
        if (glob_part_matches(glob, part)) {
            return true;
        }
    }
    return false;
}

static bool rules_match(const struct str *rules, size_t count, const struct str *defaults,
                        struct str path)
{
    for (size_t i = 0; i < count; i++) {
        if (class_glob_matches(rules[i], path)) {
            return true;
        }
    }
    for (; defaults->ptr != NULL; defaults++) {
        if (class_glob_matches(*defaults, path)) {
            return true;
        }
    }
    return false;
}

enum manifest_class class_of(const struct class_rules *rules, struct str path)
{
    if (rules_match(rules->uploads, rules->upload_count, class_default_uploads, path)) {
        return MANIFEST_CLASS_UPLOAD;
    }
    return rules_match(rules->contents, rules->content_count, class_default_contents, path)
               ? MANIFEST_CLASS_CONTENT
               : MANIFEST_CLASS_FIXED;
}

static bool is_among(struct str extension, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is_nocase(extension, str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static struct str path_name(struct str path)
{
    for (size_t at = path.len; at != 0; at--) {
        if (path.ptr[at - 1] == '/') {
            return str_slice(path, at, path.len);
        }
    }
    return path;
}

/* Windows drops dots and blanks at a name's end, and some servers cut at a NUL or a semicolon. */
static struct str name_trim(struct str name)
{
    while (name.len != 0 && (name.ptr[name.len - 1] == '.' || name.ptr[name.len - 1] == ' ')) {
        name.len--;
    }
    return str_slice(name, 0, str_find_byte(name, ';'));
}

unsigned plant_of_name(struct str path)
{
    struct str name = path_name(path);
    struct str rest = name_trim(name);
    unsigned trimmed = rest.len != name.len ? PLANT_DOUBLE : 0U;
    struct str part;

    if (is_among(rest, handler_names, ARRAY_LEN(handler_names))) {
        return PLANT_HANDLER | trimmed;
    }
    (void)str_cut(&rest, '.', &part); /* what stands before the first dot */
    while (str_cut(&rest, '.', &part)) {
        if (is_among(part, double_names, ARRAY_LEN(double_names))) {
            return PLANT_SCRIPT | trimmed | (rest.len != 0 ? PLANT_DOUBLE : 0U);
        }
        if (rest.len == 0 && is_among(part, script_names, ARRAY_LEN(script_names))) {
            return PLANT_SCRIPT | trimmed;
        }
    }
    return 0;
}

/* Pictures often carry the bit by carelessness; only with a program behind it does it mean harm. */
unsigned plant_of_mode(uint32_t mode, struct str head)
{
    bool is_program = str_has_prefix(head, STR("\x7f"
                                               "ELF")) ||
                      str_has_prefix(head, STR("#!"));
    bool may_run = (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;

    return (mode & (S_ISUID | S_ISGID)) != 0 || (may_run && is_program) ? PLANT_PROGRAM : 0U;
}

unsigned plant_of_head(struct str path, struct str head)
{
    static const struct str signs[] = {
        {"<?php", 5}, {"<?=", 3}, {"<%@", 3}, {"<script runat", 13}, {"<jsp:", 5}};

    if ((plant_of_name(path) & PLANT_SCRIPT) != 0) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (str_find(head, signs[i]) < head.len) {
            return PLANT_CODE;
        }
    }
    return 0;
}

unsigned plant_of_times(int64_t mtime, int64_t changed)
{
    return changed > mtime && changed - mtime > BACKDATED_NS ? PLANT_BACKDATED : 0U;
}

unsigned plant_that_runs(unsigned plants, enum manifest_class class)
{
    unsigned running = PLANT_SCRIPT | PLANT_DOUBLE | PLANT_HANDLER | PLANT_PROGRAM | PLANT_CODE;

    if (class == MANIFEST_CLASS_CONTENT) {
        running = PLANT_HANDLER;
    }
    return plants & running;
}

const char *plant_word(unsigned plants)
{
    static const struct {
        enum plant plant;
        const char *word;
    } words[] = {{PLANT_HANDLER, "web_handler"}, {PLANT_DOUBLE, "web_double"},
                 {PLANT_CODE, "web_code"},       {PLANT_SCRIPT, "web_script"},
                 {PLANT_PROGRAM, "web_program"}, {PLANT_BACKDATED, "web_backdated"}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((plants & words[i].plant) != 0) {
            return words[i].word;
        }
    }
    return "web_added";
}
