/* Word, Excel and PowerPoint files of a drill: Office Open XML (ECMA-376) packages with the fewest
 * parts that their programs open, zipped in memory by libarchive. On its way: drill/document.c →
 * here → drill/fill.c. Invariant: entries carry a fixed time, so that the same seed gives the same
 * bytes. */
#include "cli/drill/document.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>

#define OFFICE_PART_LIMIT (16U << 20)
#define OFFICE_TIME       1793577600 /* 2026-11-02 */
#define XML_HEAD          "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define NS_TYPES          "http://schemas.openxmlformats.org/package/2006/content-types"
#define NS_RELS           "http://schemas.openxmlformats.org/package/2006/relationships"
#define NS_OFFICE         "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define TYPE_OFFICE       "application/vnd.openxmlformats-officedocument."
#define NS_SLIDE                                                                                   \
    "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" "                           \
    "xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" xmlns:r=\"" NS_OFFICE  \
    "\""
#define TYPES_OPEN                                                                                 \
    XML_HEAD "<Types xmlns=\"" NS_TYPES "\"><Default Extension=\"rels\" "                          \
             "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"          \
             "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
#define TYPE_OF(part, type)                                                                        \
    "<Override PartName=\"/" part "\" ContentType=\"" TYPE_OFFICE type "+xml\"/>"
#define RELS_OPEN XML_HEAD "<Relationships xmlns=\"" NS_RELS "\">"
#define REL(id, type, target)                                                                      \
    "<Relationship Id=\"" id "\" Type=\"" NS_OFFICE "/" type "\" Target=\"" target "\"/>"
#define SHAPES_NONE                                                                                \
    "<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/>"         \
    "</p:nvGrpSpPr><p:grpSpPr/></p:spTree></p:cSld>"
#define FILL                "<a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill>"
#define COLOUR(name, value) "<a:" name "><a:srgbClr val=\"" value "\"/></a:" name ">"
#define FONT(name)                                                                                 \
    "<a:" name                                                                                     \
    "><a:latin typeface=\"Times New Roman\"/><a:ea typeface=\"\"/><a:cs typeface=\"\"/></a:" name  \
    ">"

typedef void office_body_fn(struct prng *prng, size_t size, struct buf *out);

struct office_part {
    const char *name;
    const char *text;     /* fixed part, or NULL */
    office_body_fn *body; /* the part that grows */
};

static void office_put_document(struct prng *prng, size_t size, struct buf *out)
{
    buf_put_text(out, XML_HEAD "<w:document xmlns:w=\"http://schemas.openxmlformats.org/"
                               "wordprocessingml/2006/main\"><w:body>");
    while (out->len < size && buf_error(out) == 0) {
        buf_putf(out, "<w:p><w:r><w:t>%s %llu %s</w:t></w:r></w:p>", document_sentence(prng),
                 (unsigned long long)prng_next(prng), document_sentence(prng));
    }
    buf_put_text(out, "</w:body></w:document>");
}

static void office_put_sheet(struct prng *prng, size_t size, struct buf *out)
{
    buf_put_text(out,
                 XML_HEAD "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/"
                          "main\"><sheetData>");
    for (unsigned row = 1; out->len < size && row < 1000000 && buf_error(out) == 0; row++) {
        buf_putf(out,
                 "<row r=\"%u\"><c r=\"A%u\"><v>%u</v></c><c r=\"B%u\" "
                 "t=\"inlineStr\"><is><t>%s</t></is>"
                 "</c><c r=\"C%u\"><v>%llu</v></c></row>",
                 row, row, row, row, document_sentence(prng), row,
                 (unsigned long long)prng_below(prng, 1000000000000));
    }
    buf_put_text(out, "</sheetData></worksheet>");
}

static void office_put_slide(struct prng *prng, size_t size, struct buf *out)
{
    buf_put_text(out, XML_HEAD
                 "<p:sld " NS_SLIDE "><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" "
                 "name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/><p:sp>"
                 "<p:nvSpPr><p:cNvPr id=\"2\" name=\"Text\"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr>"
                 "<p:spPr/><p:txBody><a:bodyPr/>");
    do {
        buf_putf(out, "<a:p><a:r><a:rPr lang=\"vi-VN\"/><a:t>%s (%llu)</a:t></a:r></a:p>",
                 document_sentence(prng), (unsigned long long)prng_next(prng));
    } while (out->len < size && buf_error(out) == 0);
    buf_put_text(out, "</p:txBody></p:sp></p:spTree></p:cSld></p:sld>");
}

static const struct office_part office_docx[] = {
    {"[Content_Types].xml",
     TYPES_OPEN TYPE_OF("word/document.xml", "wordprocessingml.document.main") "</Types>", NULL},
    {"_rels/.rels", RELS_OPEN REL("rId1", "officeDocument", "word/document.xml") "</Relationships>",
     NULL},
    {"word/document.xml", NULL, office_put_document},
    {},
};

static const struct office_part office_xlsx[] = {
    {"[Content_Types].xml",
     TYPES_OPEN TYPE_OF("xl/workbook.xml", "spreadsheetml.sheet.main")
         TYPE_OF("xl/worksheets/sheet1.xml", "spreadsheetml.worksheet") "</Types>",
     NULL},
    {"_rels/.rels", RELS_OPEN REL("rId1", "officeDocument", "xl/workbook.xml") "</Relationships>",
     NULL},
    {"xl/workbook.xml",
     XML_HEAD
     "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
     "xmlns:r=\"" NS_OFFICE
     "\"><sheets><sheet name=\"Tổng hợp\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
     NULL},
    {"xl/_rels/workbook.xml.rels",
     RELS_OPEN REL("rId1", "worksheet", "worksheets/sheet1.xml") "</Relationships>", NULL},
    {"xl/worksheets/sheet1.xml", NULL, office_put_sheet},
    {},
};

static const struct office_part office_pptx[] = {
    {"[Content_Types].xml",
     TYPES_OPEN TYPE_OF("ppt/presentation.xml", "presentationml.presentation.main")
         TYPE_OF("ppt/slides/slide1.xml", "presentationml.slide")
             TYPE_OF("ppt/slideLayouts/slideLayout1.xml", "presentationml.slideLayout")
                 TYPE_OF("ppt/slideMasters/slideMaster1.xml", "presentationml.slideMaster")
                     TYPE_OF("ppt/theme/theme1.xml", "theme") "</Types>",
     NULL},
    {"_rels/.rels",
     RELS_OPEN REL("rId1", "officeDocument", "ppt/presentation.xml") "</Relationships>", NULL},
    {"ppt/presentation.xml",
     XML_HEAD "<p:presentation " NS_SLIDE
              "><p:sldMasterIdLst><p:sldMasterId id=\"2147483648\" r:id=\"rId1\"/>"
              "</p:sldMasterIdLst><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId2\"/></p:sldIdLst>"
              "<p:sldSz cx=\"12192000\" cy=\"6858000\"/><p:notesSz cx=\"6858000\" cy=\"9144000\"/>"
              "</p:presentation>",
     NULL},
    {"ppt/_rels/presentation.xml.rels",
     RELS_OPEN REL("rId1", "slideMaster", "slideMasters/slideMaster1.xml")
         REL("rId2", "slide", "slides/slide1.xml") "</Relationships>",
     NULL},
    {"ppt/slideMasters/slideMaster1.xml",
     XML_HEAD
     "<p:sldMaster " NS_SLIDE ">" SHAPES_NONE "<p:clrMap bg1=\"lt1\" tx1=\"dk1\" bg2=\"lt2\" "
     "tx2=\"dk2\" accent1=\"accent1\" accent2=\"accent2\" "
     "accent3=\"accent3\" accent4=\"accent4\" accent5=\"accent5\" accent6=\"accent6\" "
     "hlink=\"hlink\" "
     "folHlink=\"folHlink\"/><p:sldLayoutIdLst><p:sldLayoutId id=\"2147483649\" r:id=\"rId1\"/>"
     "</p:sldLayoutIdLst></p:sldMaster>",
     NULL},
    {"ppt/slideMasters/_rels/slideMaster1.xml.rels",
     RELS_OPEN REL("rId1", "slideLayout", "../slideLayouts/slideLayout1.xml")
         REL("rId2", "theme", "../theme/theme1.xml") "</Relationships>",
     NULL},
    {"ppt/slideLayouts/slideLayout1.xml",
     XML_HEAD "<p:sldLayout " NS_SLIDE " type=\"blank\">" SHAPES_NONE "</p:sldLayout>", NULL},
    {"ppt/slideLayouts/_rels/slideLayout1.xml.rels",
     RELS_OPEN REL("rId1", "slideMaster", "../slideMasters/slideMaster1.xml") "</Relationships>",
     NULL},
    {"ppt/theme/theme1.xml",
     XML_HEAD
     "<a:theme xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" name=\"Plain\">"
     "<a:themeElements><a:clrScheme name=\"Plain\">" COLOUR("dk1", "000000") COLOUR(
         "lt1", "FFFFFF") COLOUR("dk2", "1F2937") COLOUR("lt2", "E5E7EB") COLOUR("accent1",
                                                                                 "0F766E")
         COLOUR("accent2", "B45309") COLOUR("accent3", "4338CA") COLOUR("accent4", "BE123C") COLOUR(
             "accent5", "0369A1") COLOUR("accent6", "4D7C0F") COLOUR("hlink", "0369A1")
             COLOUR("folHlink",
                    "4338CA") "</a:clrScheme><a:fontScheme name=\"Plain\">" FONT("majorFont")
                 FONT("minorFont") "</a:fontScheme><a:fmtScheme name=\"Plain\">"
                                   "<a:fillStyleLst>" FILL FILL FILL
                                   "</a:fillStyleLst><a:lnStyleLst><a:ln>" FILL "</a:ln><a:ln>" FILL
                                   "</a:ln><a:ln>" FILL "</a:ln></"
                                   "a:lnStyleLst><a:effectStyleLst><a:effectStyle><a:effectLst/>"
                                   "</a:effectStyle><a:effectStyle><a:effectLst/></"
                                   "a:effectStyle><a:effectStyle><a:effectLst/>"
                                   "</a:effectStyle></a:effectStyleLst><a:bgFillStyleLst>" FILL
                                       FILL FILL
                                   "</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>",
     NULL},
    {"ppt/slides/slide1.xml", NULL, office_put_slide},
    {"ppt/slides/_rels/slide1.xml.rels",
     RELS_OPEN REL("rId1", "slideLayout", "../slideLayouts/slideLayout1.xml") "</Relationships>",
     NULL},
    {},
};

static la_ssize_t office_take(struct archive *zip, void *context, const void *bytes, size_t len)
{
    (void)zip;
    return buf_put(context, bytes, len) == 0 ? (la_ssize_t)len : -1;
}

static int office_add_part(struct archive *zip, const char *name, struct str bytes)
{
    struct archive_entry *entry = archive_entry_new();
    int r = -ERR_IO;

    if (entry == NULL) {
        return -ERR_NOMEM;
    }
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)bytes.len);
    archive_entry_set_mtime(entry, OFFICE_TIME, 0);
    if (archive_write_header(zip, entry) == ARCHIVE_OK &&
        archive_write_data(zip, bytes.ptr, bytes.len) == (la_ssize_t)bytes.len) {
        r = 0;
    }
    archive_entry_free(entry);
    return r;
}

static int office_add_parts(struct archive *zip, const struct office_part *parts, struct prng *prng,
                            size_t size)
{
    int r = 0;

    for (const struct office_part *part = parts; r == 0 && part->name != NULL; part++) {
        struct buf body;

        if (part->text != NULL) {
            r = office_add_part(zip, part->name, str_from(part->text));
            continue;
        }
        buf_init(&body, OFFICE_PART_LIMIT);
        part->body(prng, size, &body);
        r = buf_error(&body);
        if (r == 0) {
            r = office_add_part(zip, part->name, buf_str(&body));
        }
        buf_done(&body);
    }
    return r;
}

int document_write_office(enum document_kind kind, struct prng *prng, size_t size, struct buf *out)
{
    static const struct office_part *const packages[DOCUMENT_KIND_COUNT] = {
        [DOCUMENT_KIND_DOCX] = office_docx,
        [DOCUMENT_KIND_XLSX] = office_xlsx,
        [DOCUMENT_KIND_PPTX] = office_pptx,
    };
    struct archive *zip = archive_write_new();
    int r = -ERR_IO;

    if (zip == NULL) {
        return -ERR_NOMEM;
    }
    /* The prose deflates to about an eighth. */
    if (archive_write_set_format_zip(zip) == ARCHIVE_OK &&
        archive_write_set_bytes_in_last_block(zip, 1) == ARCHIVE_OK &&
        archive_write_open(zip, out, NULL, office_take, NULL) == ARCHIVE_OK) {
        r = office_add_parts(zip, packages[kind], prng, size * 8);
        if (archive_write_close(zip) != ARCHIVE_OK && r == 0) {
            r = -ERR_IO;
        }
    }
    (void)archive_write_free(zip);
    return buf_error(out) != 0 ? buf_error(out) : r;
}
