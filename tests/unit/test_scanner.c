/* The scanner as a process, with real files made by the real tools, and with files forged against
 * it. */
#include "harness.h"

#include "agent/scanner.h"
#include "base/prng.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 5000

struct bench {
    char folder[64];
    pid_t scanner;
    int channel;
};

/* Each line makes one file called as the first word; what is missing on a machine is skipped and
 * said. */
static const struct sample {
    const char *tool;
    const char *command;
    enum content_format format;
} samples[] = {
    {"zip", "zip -q f plain.txt photo.bmp && mv f.zip f", CONTENT_FORMAT_PLAIN},
    {"zip", "zip -q -P secret f plain.txt photo.bmp && mv f.zip f", CONTENT_FORMAT_ENCRYPTED},
    {"zip", "zip -q -P secret - plain.txt > f", CONTENT_FORMAT_ENCRYPTED},
    {"7z", "7z a f.7z plain.txt photo.bmp > /dev/null && mv f.7z f", CONTENT_FORMAT_PLAIN},
    {"7z", "7z a -psecret f.7z plain.txt > /dev/null && mv f.7z f", CONTENT_FORMAT_ENCRYPTED},
    {"7z", "7z a -mhe=on -psecret f.7z plain.txt > /dev/null && mv f.7z f",
     CONTENT_FORMAT_ENCRYPTED},
    {"7z", "7z a -mx=0 -psecret f.7z plain.txt photo.bmp > /dev/null && mv f.7z f",
     CONTENT_FORMAT_ENCRYPTED},
    {"7z", "7z a -tzip -mem=AES256 -psecret f.zip plain.txt > /dev/null && mv f.zip f",
     CONTENT_FORMAT_ENCRYPTED},
    {"gpg",
     "gpg --homedir . --batch --quiet --pinentry-mode loopback --passphrase x -o f -c plain.txt",
     CONTENT_FORMAT_ENCRYPTED},
    {"gpg",
     "gpg --homedir . --batch --quiet --pinentry-mode loopback --passphrase x -a -o f -c plain.txt",
     CONTENT_FORMAT_ENCRYPTED},
    {"openssl", "openssl enc -aes-256-ctr -pbkdf2 -k x -in plain.txt -out f",
     CONTENT_FORMAT_ENCRYPTED},
    {"openssl", "openssl enc -a -aes-256-ctr -pbkdf2 -k x -in plain.txt -out f",
     CONTENT_FORMAT_ENCRYPTED},
    {"openssl", "openssl enc -aes-256-ctr -K 00 -iv 00 -in plain.txt -out f 2> /dev/null",
     CONTENT_FORMAT_UNKNOWN},
    {"ccencrypt", "cp plain.txt f && ccencrypt -K secret f && mv f.cpt f", CONTENT_FORMAT_UNKNOWN},
    {"gzip", "gzip -c plain.txt > f", CONTENT_FORMAT_PLAIN},
    {"xz", "xz -c photo.bmp > f", CONTENT_FORMAT_PLAIN},
    {"zstd", "zstd -q -c photo.bmp > f", CONTENT_FORMAT_PLAIN},
    {"bzip2", "bzip2 -c photo.bmp > f", CONTENT_FORMAT_PLAIN},
    {"tar", "tar cf f plain.txt photo.bmp", CONTENT_FORMAT_KNOWN},
    {"tar", "tar czf f plain.txt photo.bmp", CONTENT_FORMAT_PLAIN},
    {"convert", "convert photo.bmp png:f", CONTENT_FORMAT_PLAIN},
    {"convert", "convert photo.bmp jpeg:f", CONTENT_FORMAT_PLAIN},
    {"convert", "convert -interlace Plane photo.bmp jpeg:f", CONTENT_FORMAT_PLAIN},
    {"convert", "convert photo.bmp gif:f", CONTENT_FORMAT_PLAIN},
    {"sqlite3",
     "sqlite3 f 'create table t(a); with recursive c(x) as (select 1 union all select x+1 from c "
     "where x < 5000) insert into t select x from c'",
     CONTENT_FORMAT_PLAIN},
    {"git",
     "git init -q g && cp plain.txt photo.bmp g && git -C g add . && git -C g -c user.name=a -c "
     "user.email=a commit -qm a && git -C g gc -q && cp g/.git/objects/pack/*.pack f",
     CONTENT_FORMAT_PLAIN},
    {"git", "cp g/.git/objects/pack/*.idx f", CONTENT_FORMAT_PLAIN},
    {"git",
     "git init -q l && cp photo.bmp l && git -C l add . && cp l/.git/objects/[0-9a-f][0-9a-f]/* f",
     CONTENT_FORMAT_PLAIN},
    {"git",
     "git init -q m && cp photo.bmp m && git -C m add . && cp m/.git/objects/[0-9a-f][0-9a-f]/* f "
     "&& chmod u+w f "
     "&& noise f 3000 4000",
     CONTENT_FORMAT_DAMAGED},
    {"cp", "cp plain.txt f", CONTENT_FORMAT_TEXT},
    {"cp", "cp photo.bmp f", CONTENT_FORMAT_KNOWN},
    {"cp", "cp /bin/sh f", CONTENT_FORMAT_KNOWN},
    {"head", "head -c 100000 /dev/urandom > f", CONTENT_FORMAT_UNKNOWN},
    {"head", "head -c 100 /dev/urandom > f", CONTENT_FORMAT_UNKNOWN},
    {"touch", ": > f", CONTENT_FORMAT_UNKNOWN},
    {"age",
     "age-keygen -o k 2> /dev/null; age -r $(sed -n 's/.*: \\(age1\\)/\\1/p' k) -o f plain.txt",
     CONTENT_FORMAT_ENCRYPTED},
    /* Intermittent encryption behind a head that was left alone. */
    {"zip", "zip -q f photo.bmp && mv f.zip f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"gzip", "gzip -c photo.bmp > f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"xz", "xz -c photo.bmp > f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"zstd", "zstd -q -c photo.bmp > f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"bzip2", "bzip2 -c photo.bmp > f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"7z", "7z a f.7z photo.bmp > /dev/null && mv f.7z f && noise f 3000 4000",
     CONTENT_FORMAT_DAMAGED},
    {"convert", "convert photo.bmp png:f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"convert", "convert photo.bmp jpeg:f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"convert", "convert photo.bmp gif:f && noise f 3000 4000", CONTENT_FORMAT_DAMAGED},
    {"sqlite3",
     "sqlite3 f 'create table t(a); with recursive c(x) as (select 1 union all select x+1 from c "
     "where x < 50000) insert into t select x from c' && noise f 4096 100000",
     CONTENT_FORMAT_DAMAGED},
    {"git", "cp g/.git/objects/pack/*.pack f && chmod u+w f && noise f 3000 40",
     CONTENT_FORMAT_DAMAGED},
    {"cp", "cp photo.bmp f && noise f 200 999999", CONTENT_FORMAT_UNKNOWN},
};

static int run(const struct bench *bench, const char *command, const char *more)
{
    char line[2048];
    int status = -1;
    pid_t pid;

    snprintf(line, sizeof(line),
             "cd %s && noise() { head -c $3 /dev/zero | openssl enc -aes-128-ctr -nosalt -K "
             "00112233445566778899aabbccddeeff -iv 00 2> /dev/null | dd of=$1 bs=1 seek=$2 "
             "count=$3 conv=notrunc 2> "
             "/dev/null; "
             "} && %s %s",
             bench->folder, command, more);
    pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void scanner_start(struct bench *bench)
{
    int fds[2];

    assert_int_equal(channel_pair(fds), 0);
    bench->scanner = fork();
    if (bench->scanner == 0) {
        (void)close(fds[0]);
        _exit(scanner_run(fds[1]));
    }
    (void)close(fds[1]);
    bench->channel = fds[0];
}

static int scanner_stop(struct bench *bench)
{
    int status = -1;

    (void)close(bench->channel);
    assert_int_equal(waitpid(bench->scanner, &status, 0), bench->scanner);
    return status;
}

static int setup(void **state)
{
    static struct bench bench;

    snprintf(bench.folder, sizeof(bench.folder), "/tmp/canhgac-scanner-XXXXXX");
    assert_non_null(mkdtemp(bench.folder));
    assert_int_equal(
        run(&bench, "seq 1 20000 | sed 's/$/ Công văn số 12 của Ủy ban/' > plain.txt &&",
            "printf 'P6 200 200 255\\n' > p.ppm && { seq 1 90000 | head -c 120000; } >> p.ppm && "
            "{ convert p.ppm -attenuate 0.5 +noise Gaussian bmp3:photo.bmp || cp p.ppm photo.bmp; "
            "}"),
        0);
    scanner_start(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(scanner_stop(bench), 0);
    return run(bench, "rm -rf", bench->folder);
}

static int open_in(const struct bench *bench, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void test_samples(void **state)
{
    struct bench *bench = *state;
    unsigned wrong = 0;

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct scan_verdict verdict;
        CLEANUP(closep) int fd = -1;

        if (run(bench, "command -v > /dev/null", samples[i].tool) != 0) {
            print_message("skipped, no %s: %s\n", samples[i].tool, samples[i].command);
            continue;
        }
        assert_int_equal(run(bench, "rm -f f f.zip f.7z &&", samples[i].command), 0);
        fd = open_in(bench, "f");
        assert_true(fd >= 0);
        assert_int_equal(scan_ask(bench->channel, fd, -1, ANSWER_MS, &verdict), 0);
        if (verdict.now != samples[i].format || verdict.before != CONTENT_FORMAT_UNASKED) {
            print_error("%s: %s (%s), not %s\n", samples[i].command,
                        content_format_name(verdict.now), verdict.format_name,
                        content_format_name(samples[i].format));
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_both_sides(void **state)
{
    struct bench *bench = *state;
    struct scan_verdict verdict;
    CLEANUP(closep) int now = -1;
    CLEANUP(closep) int before = -1;

    assert_int_equal(run(bench, "gzip -c plain.txt > f", ""), 0);
    now = open_in(bench, "f");
    before = open_in(bench, "plain.txt");
    assert_int_equal(scan_ask(bench->channel, now, before, ANSWER_MS, &verdict), 0);
    assert_int_equal(verdict.now, CONTENT_FORMAT_PLAIN);
    assert_int_equal(verdict.before, CONTENT_FORMAT_TEXT);
    assert_string_equal(verdict.format_name, "gzip");
}

/* A scanner that hangs or dies leaves both sides unasked, and the asker says why. */
static void test_dead_scanner(void **state)
{
    struct bench *bench = *state;
    struct bench other = *bench;
    struct scan_verdict verdict;
    CLEANUP(closep) int fd = open_in(bench, "plain.txt");
    int status;

    scanner_start(&other);
    assert_int_equal(scan_ask(other.channel, fd, -1, ANSWER_MS, &verdict), 0);
    assert_int_equal(kill(other.scanner, SIGSTOP), 0);
    assert_int_equal(scan_ask(other.channel, fd, -1, 30, &verdict), -ERR_TIMEDOUT);
    assert_int_equal(verdict.now, CONTENT_FORMAT_UNASKED);
    assert_int_equal(kill(other.scanner, SIGCONT), 0);
    /* The late answer must not be taken for the next one. */
    assert_int_equal(scan_ask(other.channel, fd, fd, ANSWER_MS, &verdict), 0);
    assert_int_equal(verdict.before, CONTENT_FORMAT_TEXT);
    assert_int_equal(kill(other.scanner, SIGKILL), 0);
    assert_true(scan_ask(other.channel, fd, -1, 1000, &verdict) < 0);
    assert_int_equal(verdict.now, CONTENT_FORMAT_UNASKED);
    status = scanner_stop(&other);
    assert_true(WIFSIGNALED(status));
}

/* Broken files by the hundred: every answer comes, and the process lives on. */
static void test_hostile(void **state)
{
    static const char *const makes[] = {"zip -q - plain.txt photo.bmp > f", "xz -c plain.txt > f",
                                        "7z a f.7z plain.txt > /dev/null && mv f.7z f",
                                        "convert photo.bmp jpeg:f", "tar czf f plain.txt"};
    struct bench *bench = *state;
    struct prng prng;

    prng_init(&prng, 7);
    for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
        char bytes[200000];
        ssize_t len;
        CLEANUP(closep) int source = -1;

        if (run(bench, "rm -f f &&", makes[i]) != 0) {
            continue;
        }
        source = open_in(bench, "f");
        len = read(source, bytes, sizeof(bytes));
        assert_true(len > 0);
        for (int round = 0; round < 40; round++) {
            CLEANUP(closep) int fd = memfd_create("hostile", MFD_CLOEXEC);
            struct scan_verdict verdict;

            for (int n = 0; n < 8; n++) {
                bytes[prng_below(&prng, (uint64_t)len)] = (char)prng_next(&prng);
            }
            assert_int_equal(fd_write_full(fd, bytes, (size_t)prng_below(&prng, (uint64_t)len)), 0);
            assert_int_equal(scan_ask(bench->channel, fd, -1, ANSWER_MS, &verdict), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_dead_scanner),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
