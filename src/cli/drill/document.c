/* Plain documents of a drill: text, tables, web pages, mail, PDF, a database; the packed and
 * painted ones are in drill/office.c and drill/image.c. On its way: here → drill/fill.c → disk.
 * Invariant: only the generator's numbers decide, so that a seed names one set of files for good.
 */
#include "cli/drill/document.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <sqlite3.h>

static const char *const document_suffixes[] = {
    [DOCUMENT_KIND_TEXT] = ".txt",  [DOCUMENT_KIND_CSV] = ".csv",   [DOCUMENT_KIND_DOCX] = ".docx",
    [DOCUMENT_KIND_XLSX] = ".xlsx", [DOCUMENT_KIND_PPTX] = ".pptx", [DOCUMENT_KIND_PDF] = ".pdf",
    [DOCUMENT_KIND_PNG] = ".png",   [DOCUMENT_KIND_JPEG] = ".jpg",  [DOCUMENT_KIND_SQLITE] = ".db",
    [DOCUMENT_KIND_HTML] = ".html", [DOCUMENT_KIND_JSON] = ".json", [DOCUMENT_KIND_MAIL] = ".eml",
};

static const char *const document_sentences[] = {
    "Căn cứ quy định hiện hành, đơn vị báo cáo kết quả thực hiện nhiệm vụ trong kỳ.",
    "Đề nghị các phòng, ban gửi số liệu trước ngày 25 hằng tháng để tổng hợp.",
    "Hồ sơ đã được tiếp nhận tại bộ phận một cửa và hẹn trả kết quả đúng thời hạn.",
    "Kinh phí được bố trí từ nguồn ngân sách địa phương theo dự toán đã được phê duyệt.",
    "Tổ công tác kiểm tra việc chấp hành quy chế văn thư, lưu trữ tại cơ sở.",
    "Thửa đất số 112, tờ bản đồ số 7, diện tích 245 m², mục đích sử dụng: đất ở nông thôn.",
    "Cuộc họp thống nhất kế hoạch trực trong dịp nghỉ lễ và danh sách liên hệ khẩn cấp.",
    "Máy chủ cổng dịch vụ công được bảo trì từ 22 giờ đến 24 giờ, người dân không bị gián đoạn.",
    "Học sinh khối 9 nộp đơn đăng ký dự thi, kèm bản sao giấy khai sinh.",
    "Trạm y tế xã đã tiêm chủng cho 318 trẻ, đạt 97,4 phần trăm kế hoạch.",
    "The minutes were approved without changes and the next meeting is set for Tuesday.",
    "Please review the attached figures and send your corrections by the end of the week.",
    "Backup media are kept off site; the last restore test took forty-one minutes.",
    "Each unit appoints one contact person who answers within thirty minutes, day and night.",
    "The contract covers maintenance, spare parts and training for twelve months.",
    "Attendance was lower than last year because of the storm in the northern districts.",
};

static const char *const document_people[] = {
    "Nguyễn Thị Hạnh", "Trần Văn Đức",   "Lê Quốc Bảo",  "Phạm Thu Hương", "Hoàng Minh Tuấn",
    "Vũ Ngọc Ánh",     "Đặng Hữu Phước", "Bùi Thị Xuân", "Đỗ Gia Khánh",   "Lý Thanh Tâm",
};

const char *document_suffix(enum document_kind kind)
{
    return document_suffixes[kind];
}

const char *document_sentence(struct prng *prng)
{
    return document_sentences[prng_below(prng, ARRAY_LEN(document_sentences))];
}

static const char *document_person(struct prng *prng)
{
    return document_people[prng_below(prng, ARRAY_LEN(document_people))];
}

static void document_put_text(struct prng *prng, size_t size, struct buf *out)
{
    size_t end = out->len + size;

    buf_putf(out, "BÁO CÁO số %u/BC-UBND\n\n", (unsigned)prng_below(prng, 2000));
    while (out->len < end && buf_error(out) == 0) {
        buf_putf(out, "%s%s", document_sentence(prng), prng_below(prng, 5) == 0 ? "\n\n" : " ");
    }
    buf_put_byte(out, '\n');
}

static void document_put_csv(struct prng *prng, size_t size, struct buf *out)
{
    size_t end = out->len + size;

    buf_put_text(out, "STT,Họ và tên,Năm sinh,Xã,Số tiền,Ghi chú\r\n");
    for (unsigned row = 1; out->len < end && buf_error(out) == 0; row++) {
        buf_putf(out, "%u,%s,%u,Xã %u,%u000,\"%s\"\r\n", row, document_person(prng),
                 1940 + (unsigned)prng_below(prng, 70), 1 + (unsigned)prng_below(prng, 120),
                 (unsigned)prng_below(prng, 90000), document_sentence(prng));
    }
}

static void document_put_html(struct prng *prng, size_t size, struct buf *out)
{
    size_t end = out->len + size;

    buf_put_text(out, "<!DOCTYPE html>\n<html lang=\"vi\"><head><meta charset=\"utf-8\">"
                      "<title>Cổng thông tin</title></head><body>\n");
    while (out->len < end && buf_error(out) == 0) {
        buf_putf(out, "<h2>%s</h2>\n<p>%s %s</p>\n", document_person(prng), document_sentence(prng),
                 document_sentence(prng));
    }
    buf_put_text(out, "</body></html>\n");
}

static void document_put_json(struct prng *prng, size_t size, struct buf *out)
{
    size_t end = out->len + size;

    buf_put_text(out, "{\"nguon\":\"mot-cua\",\"ho_so\":[\n");
    for (unsigned row = 1; out->len < end && buf_error(out) == 0; row++) {
        buf_putf(out, "%s{\"ma\":%u,\"nguoi_nop\":\"%s\",\"noi_dung\":\"%s\",\"le_phi\":%u}",
                 row > 1 ? ",\n" : "", row, document_person(prng), document_sentence(prng),
                 (unsigned)prng_below(prng, 500) * 1000);
    }
    buf_put_text(out, "\n]}\n");
}

static void document_put_base64(struct prng *prng, size_t lines, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t line = 0; line < lines && buf_error(out) == 0; line++) {
        for (unsigned i = 0; i < 76; i++) {
            buf_put_byte(out, (unsigned char)digits[prng_next(prng) >> 58]);
        }
        buf_put_text(out, "\r\n");
    }
}

static void document_put_mail(struct prng *prng, size_t size, struct buf *out)
{
    unsigned id = (unsigned)prng_below(prng, 1000000);
    size_t end = out->len + size / 2;

    buf_putf(out,
             "From: van-thu@tinh.example.vn\r\nTo: lanh-dao@tinh.example.vn\r\nSubject: Lich hop "
             "so %u\r\n"
             "Message-ID: <%u@tinh.example.vn>\r\nDate: Mon, 02 Nov 2026 08:%02u:00 +0700\r\n"
             "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"phan-%u\"\r\n\r\n"
             "--phan-%u\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
             id, id, id % 60, id, id);
    while (out->len < end && buf_error(out) == 0) {
        buf_putf(out, "%s\r\n", document_sentence(prng));
    }
    buf_putf(out,
             "--phan-%u\r\nContent-Type: application/octet-stream; name=\"kem.bin\"\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\n",
             id);
    document_put_base64(prng, size / 2 / 78, out);
    buf_putf(out, "--phan-%u--\r\n", id);
}

/* Latin text only: the base fonts of PDF know no dấu. */
static void document_put_pdf_page(struct prng *prng, struct buf *out)
{
    struct buf stream;

    buf_init(&stream, 64U << 10);
    buf_put_text(&stream, "BT /F1 10 Tf 50 780 Td 13 TL\n");
    for (unsigned line = 0; line < 50; line++) {
        buf_putf(&stream, "(%06u  Item %u of the register, amount %u) Tj T*\n",
                 (unsigned)prng_below(prng, 1000000), line + 1,
                 (unsigned)prng_below(prng, 100000000));
    }
    buf_put_text(&stream, "ET\n");
    buf_putf(out, "<< /Length %zu >>\nstream\n", stream.len);
    buf_put_str(out, buf_str(&stream));
    buf_put_text(out, "endstream\n");
    if (buf_error(&stream) != 0) {
        out->error = buf_error(&stream);
    }
    buf_done(&stream);
}

#define PDF_PAGES_MAX 400U

/* Objects: 1 catalogue, 2 pages, 3 font, then a page and its contents in turn. */
static void document_put_pdf(struct prng *prng, size_t size, struct buf *out)
{
    size_t offsets[4 + 2 * PDF_PAGES_MAX] = {0};
    unsigned pages = (unsigned)(size / 2800) + 1;
    unsigned count;
    size_t start = out->len;
    size_t table;

    pages = pages < PDF_PAGES_MAX ? pages : PDF_PAGES_MAX;
    count = 4 + 2 * pages;
    buf_put_text(out, "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n");
    offsets[1] = out->len - start;
    buf_put_text(out, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
    offsets[2] = out->len - start;
    buf_put_text(out, "2 0 obj\n<< /Type /Pages /Kids [");
    for (unsigned page = 0; page < pages; page++) {
        buf_putf(out, " %u 0 R", 4 + 2 * page);
    }
    buf_putf(out, " ] /Count %u >>\nendobj\n", pages);
    offsets[3] = out->len - start;
    buf_put_text(out, "3 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n");
    for (unsigned page = 0; page < pages; page++) {
        offsets[4 + 2 * page] = out->len - start;
        buf_putf(out,
                 "%u 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %u 0 R "
                 "/Resources << /Font << /F1 3 0 R >> >> >>\nendobj\n",
                 4 + 2 * page, 5 + 2 * page);
        offsets[5 + 2 * page] = out->len - start;
        buf_putf(out, "%u 0 obj\n", 5 + 2 * page);
        document_put_pdf_page(prng, out);
        buf_put_text(out, "endobj\n");
    }
    table = out->len - start;
    buf_putf(out, "xref\n0 %u\n0000000000 65535 f \n", count);
    for (unsigned i = 1; i < count; i++) {
        buf_putf(out, "%010zu 00000 n \n", offsets[i]);
    }
    buf_putf(out, "trailer\n<< /Size %u /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n", count, table);
}

static int document_insert_rows(sqlite3 *db, struct prng *prng, size_t size)
{
    sqlite3_stmt *insert = NULL;
    int r = sqlite3_prepare_v2(
        db, "INSERT INTO ho_so(nguoi_nop, noi_dung, le_phi) VALUES(?1, ?2, ?3)", -1, &insert, NULL);

    for (size_t done = 0; r == SQLITE_OK && done < size; done += 150) {
        (void)sqlite3_bind_text(insert, 1, document_person(prng), -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(insert, 2, document_sentence(prng), -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(insert, 3, (int)prng_below(prng, 1000000));
        r = sqlite3_step(insert) == SQLITE_DONE ? sqlite3_reset(insert) : SQLITE_ERROR;
    }
    (void)sqlite3_finalize(insert);
    return r == SQLITE_OK ? 0 : -ERR_IO;
}

static int document_put_sqlite(struct prng *prng, size_t size, struct buf *out)
{
    sqlite3 *db = NULL;
    unsigned char *image = NULL;
    sqlite3_int64 len = 0;
    int r = -ERR_NOMEM;

    if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
        sqlite3_exec(db,
                     "BEGIN; CREATE TABLE ho_so(ma INTEGER PRIMARY KEY, nguoi_nop TEXT NOT NULL,"
                     " noi_dung TEXT NOT NULL, le_phi INTEGER NOT NULL)",
                     NULL, NULL, NULL) == SQLITE_OK) {
        r = document_insert_rows(db, prng, size);
    }
    if (r == 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
        image = sqlite3_serialize(db, "main", &len, 0);
    }
    if (r == 0) {
        r = image != NULL ? buf_put(out, image, (size_t)len) : -ERR_NOMEM;
    }
    sqlite3_free(image);
    (void)sqlite3_close(db);
    return r;
}

int document_write(enum document_kind kind, struct prng *prng, size_t size, struct buf *out)
{
    static void (*const plain[DOCUMENT_KIND_COUNT])(struct prng *, size_t, struct buf *) = {
        [DOCUMENT_KIND_TEXT] = document_put_text, [DOCUMENT_KIND_CSV] = document_put_csv,
        [DOCUMENT_KIND_HTML] = document_put_html, [DOCUMENT_KIND_JSON] = document_put_json,
        [DOCUMENT_KIND_MAIL] = document_put_mail, [DOCUMENT_KIND_PDF] = document_put_pdf,
    };

    if (plain[kind] != NULL) {
        plain[kind](prng, size, out);
        return buf_error(out);
    }
    if (kind == DOCUMENT_KIND_PNG) {
        return document_write_png(prng, size, out);
    }
    if (kind == DOCUMENT_KIND_JPEG) {
        return document_write_jpeg(prng, size, out);
    }
    if (kind == DOCUMENT_KIND_SQLITE) {
        return document_put_sqlite(prng, size, out);
    }
    return document_write_office(kind, prng, size, out);
}
