"""Wording and shapes for measuring: other phrases, other page designs, other names than fit.py, which this must never read
or be read by. Portals here are simulated after Vietnamese ones: view state, counters, clocks, rotating news and banners."""
import re

from . import craft

SLOTS = {
    "brand": ["BK8", "VN88", "Sunwin", "Go88", "Rikvip", "B52Club", "8xbet", "OKVIP", "F8bet", "MB66", "QH88", "Bin88", "Nohu90", "SV66", "Fly88",
              "Abc8", "Xoilac", "78Win", "Hello88", "UK88", "Kuwin", "Ee88", "Typhu88", "Vz99", "98win", "Alo789", "Luck8", "6686", "Onbet"],
    "bonus": ["58k", "188k", "1.500k", "3 triệu", "120%", "888 nghìn"], "hour": [str(n) for n in range(1, 24)], "n": [str(n) for n in range(2, 99)],
    "person": ["Hoàng Văn Bảy", "Đỗ Thị Sen", "Vũ Đình Khang", "Bùi Thu Hà", "Ngô Sỹ Liêm"], "where": ["Sơn Động", "Kỳ Sơn", "An Phú", "Tam Đảo", "Nho Quan", "Ba Tri"],
    "nick": ["NullVector", "ph4ntom_hn", "k1ll3rbee", "SaigonRaven", "xXViperXx", "0xDEADC0DE", "Dr.Smoke", "m0nk3y_k1ng", "TrojanHorse", "b1nary_ninja"],
    "gang": ["Garuda Cyber Squad", "Black Lotus Brigade", "The Night Owls", "Team Insane PK", "Hidden Cobra Boyz", "Fallaga Unit", "1877 Squad"],
    "drug": ["sildenafil citrate", "Cialis 20mg", "Viagra for men", "tadalafil tablets", "Levitra pills"],
}
GAMBLING = {
    "seo": ["{brand}", "Nhà cái {brand} uy tín", "{brand} đăng ký", "Link {brand} mới", "tải app {brand}", "Casino {brand}", "game nổ hũ {brand}", "lô đề {brand}",
            "tài xỉu online {brand}", "cá độ bóng đá {brand}", "trang chủ {brand}", "khuyến mãi {brand}", "bắn cá {brand} đổi thưởng", "đá gà thomo {brand}"],
    "promo": ["🔥 {brand} hoàn trả không giới hạn mỗi tuần, thành viên mới tặng {bonus}, lên kèo bóng đá sớm nhất – bấm vào link đăng ký liền tay!",
              "Sân chơi cá cược hàng đầu {brand}: thể thao, casino, slots, đá gà. Nạp rút trong 3 phút, đại lý hoa hồng 55%. Truy cập link dự phòng nếu bị chặn.",
              "Anh em muốn gỡ vốn? Vào {brand} chơi tài xỉu, xóc đĩa, nổ hũ tỷ lệ trả thưởng 98%, nhập code nhận {bonus}, rút về ngân hàng không cần cọc.",
              "Game bài {brand} phiên bản mới, hũ to nổ liên tục, tặng giftcode {bonus} cho tân thủ, tải ngay trên Android và iOS."],
    "doorway": ["Giới thiệu nhà cái {brand}. {brand} là thương hiệu cá cược trực tuyến được đông đảo bet thủ tin chọn, sở hữu sảnh casino người thật, kho slot đồ sộ và tỷ lệ kèo cạnh tranh. "
                "Các bước mở tài khoản {brand}: điền số điện thoại, tạo mật khẩu, nạp tiền tối thiểu {bonus} rồi đặt cược.",
                "Soi kèo {where} vs {where} lúc {hour}h: chuyên gia nghiêng về cửa trên. Xem tỷ lệ kèo tài xỉu và đặt cược tại {brand} để ăn tiền nhanh nhất đêm nay."],
    "foreign": ["Slot gacor malam ini gampang menang maxwin bersama {brand}, daftar akun pro dan klaim bonus {bonus}", "Link alternatif {brand} situs judi bola resmi, deposit QRIS tanpa potongan",
                "{brand}娱乐城 百家乐 老虎机 注册送{n}元 体育投注平台", "Play live roulette, blackjack and jackpot slots at {brand}. New players get {n} free spins and a deposit match. Bet today."],
}
BOASTS = ["{nick} pwned this server", "This site got hacked by {nick} of {gang}", "Owned! {gang} says hello to the administrator", "Your website security = 0. Fix your holes, admin. Regards, {nick}",
          "{gang} :: we hacked you because we can", "Trang web đã bị {nick} hack, hãy nâng cấp bảo mật đi quản trị viên!", "Hệ thống của bạn đã bị chiếm quyền bởi {gang}. Đừng hoảng, dữ liệu vẫn còn.",
          "Defaced :: {nick} :: greetz {nick}, {nick}, {gang}", "got r00t? {nick} did. shoutz to {gang}", "Justice for the oppressed! Hacked in protest by {gang}"]
NEWS = ["Bộ đội Biên phòng {where} phối hợp bắt quả tang {n} người đánh bạc ăn tiền, thu giữ tang vật", "Phá chuyên án cá độ bóng đá nghìn tỷ, {person} cầm đầu khai nhận hành vi",
        "Hội phụ nữ {where} tuyên truyền tránh xa bẫy vay tiền qua app và tín dụng đen", "Phiên tòa lưu động xét xử {person} phạm tội tổ chức đánh bạc trực tuyến qua trang nhà cái",
        "Tọa đàm phòng ngừa tội phạm lô đề, số đề trên địa bàn {where}", "Trang tin điện tử huyện từng bị hacker thay đổi giao diện nay hoạt động trở lại", "Ngân hàng nông nghiệp {where} giải ngân gói vay ưu đãi mùa vụ",
        "Trung tâm y tế {where} cảnh báo thuốc tăng cường sinh lý chứa chất cấm sildenafil", "Đội bóng {where} vô địch giải tứ hùng, trao thưởng {n} triệu đồng", "Tuyển dụng {n} giáo viên mầm non năm học mới",
        "Lịch cắt điện khu vực {where} ngày {n}", "Chợ phiên {where} khai trương gian hàng OCOP", "Đoàn thanh niên {where} hiến máu tình nguyện", "Kiểm tra tiến độ cầu {where} trước mùa lũ", "Xã {where} đạt chuẩn nông thôn mới nâng cao",
        "Hướng dẫn nộp thuế đất phi nông nghiệp qua mạng", "Khai trương phòng đọc thư viện {where}", "Họp mặt cựu chiến binh đơn vị {n}", "Cấp căn cước lưu động cho người già tại {where}", "Kỳ thi học sinh giỏi cấp huyện có {n} em đạt giải"]
MENU = ["Trang chủ", "Bộ máy hành chính", "Thủ tục hành chính", "Văn bản quy phạm", "Công báo", "Du lịch {where}", "Thư viện ảnh", "Hộp thư điện tử", "Sơ đồ cổng", "Đường dây nóng"]
UNLISTED = ["tin247hot", "xemngay", "giaitri4u", "phongvip", "sanchoi"]  # hosts that do not tell by their name
PARTIAL = ("title", "banner", "text", "image")


def say(rng, rows):
    return craft.fill(rng, rng.choice(rows), SLOTS)


def page_hacked(rng, family):
    """Five designs of whole pages."""
    line = lambda: craft.disguise(rng, say(rng, BOASTS), rng.choice(["plain", "plain", "upper", "lookalike", "bare"]))
    nick, gang = rng.choice(SLOTS["nick"]), rng.choice(SLOTS["gang"])
    if family == "neon":
        return craft.page(f"[+] {nick} [+]", f'<div id=w><img src="https://imagehost{rng.randrange(99)}.cc/{nick}.gif"><h2 class=glow>{line()}</h2><p>{line()}</p></div>', "<style>.glow{color:lime}body{background:black}</style>")
    if family == "terminal":
        return craft.page("root@localhost", f"<pre>$ whoami\nroot\n$ echo pwn\n{line()}\n$ cat message.txt\n{line()}\n{line()}</pre><script>document.oncontextmenu=function(){{return false}}</script>")
    if family == "flag":
        return craft.page(f"{gang}", f'<center><marquee><b>{line()}</b></marquee><img src="/images/{gang.split()[0].lower()}.png"><br><font size=5 color=white>{line()}<br>{line()}</font></center>')
    if family == "letter":
        return craft.page("Message to admin", f"<h3>To the administrator</h3><p>{line()}. {line()}.</p><p>Contact: {nick.lower()}@protonmail.com</p>")
    return f"<html><head><title>{line()}</title></head><body bgcolor=#000000 text=red><table align=center><tr><td>{line()}</td></tr></table></body></html>"


PAGES = ("neon", "terminal", "flag", "letter", "bare")


def planted(rng, host):
    kind = rng.choice(list(GAMBLING))
    link = lambda text: f'<a href="https://{host}/{rng.choice(["", "vi", "m/reg", "?aff=9"])}">{text}</a>'
    rows = [craft.disguise(rng, say(rng, GAMBLING[kind])) for _ in range(rng.randint(2, 6))]
    if kind == "seo":
        return "<p>" + " ".join(link(row) for row in rows) + "</p>"
    if kind == "doorway":
        return f"<article><h2>{link(say(rng, GAMBLING['seo']))}</h2><p>{rows[0]}</p></article>"
    return f"<div><b>{rows[0]}</b> {link(say(rng, GAMBLING['seo']))}</div>"


def portal(seed, version, has_news=True):
    """One look at a simulated portal; the same seed is the same portal later."""
    rng = craft.generator("portal", seed)
    where, menu = rng.choice(SLOTS["where"]), [craft.fill(rng, row, SLOTS) for row in MENU]
    fixed = [say(rng, NEWS) for _ in range(12)]
    now = craft.generator("news", seed, version // 3)
    tick = craft.generator("tick", seed, version)
    news = [say(now, NEWS) for _ in range(10)] if has_news else fixed[:10]
    state = "".join(tick.choice("ABCDEFabcdef0123456789+/") for _ in range(400))
    body = (f'<form id="aspnetForm" action="./default.aspx"><input type="hidden" name="__VIEWSTATE" value="{state}">'
            f'<div class="top"><img src="/Portals/0/logo.png" alt="Quốc huy"><h1>Cổng thông tin điện tử huyện {where}</h1><span>{tick.randrange(24)}:{tick.randrange(60)} ngày {1 + version % 28}/{1 + version // 60 % 12}</span></div>'
            + "<ul class='menu'>" + "".join(f'<li><a href="/{i}.aspx">{row}</a></li>' for i, row in enumerate(menu)) + "</ul>"
            + "<div class='news'>" + "".join(f'<div class="item"><img src="/Portals/0/tin{version // 3 - i}.jpg"><a href="/tin/{version // 3 * 10 + i}">{row}</a><p>{row}. {fixed[i % 12]}</p></div>' for i, row in enumerate(news)) + "</div>"
            + f'<div class="banner"><img src="/banner/{tick.randrange(5)}.jpg"></div><iframe src="https://www.youtube.com/embed/v{version // 20}"></iframe>'
            + f'<div class="right">{"".join(f"<p>{row}</p>" for row in fixed)}</div><div class="counter">Đang truy cập: {tick.randrange(500)} Tổng lượt: {1000000 + version * 731}</div>'
            + f"<footer>Ủy ban nhân dân huyện {where}. Trưởng ban biên tập: {rng.choice(SLOTS['person'])}. Điện thoại: 02{rng.randrange(10**8)}</footer></form>"
            + f"<script>var nonce='{tick.randrange(10**9)}';</script>")
    head = '<link rel="stylesheet" href="/Portals/0/skin.css"><script src="/js/jquery.js"></script><script src="https://www.googletagmanager.com/gtag/js?id=1"></script>'
    return craft.page(f"Cổng thông tin điện tử huyện {where}", body, head).replace("<html>", '<html lang="vi">')


def insert(rng, body, piece):
    """Somewhere between two elements of the page's body, or at its end."""
    start = body.lower().find("<body")
    places = [at for at in range(start if start > 0 else 0, len(body)) if body.startswith(("</div>", "</p>", "</ul>"), at)]
    at = rng.choice(places) if places and rng.random() < .7 else body.lower().rfind("</body>")
    at = at if at >= 0 else len(body)
    at = body.find(">", at) + 1 if body.startswith("</", at) and not body.lower().startswith("</body>", at) else at
    return body[:at] + piece + body[at:]


def partial(rng, body, kind):
    line = craft.disguise(rng, say(rng, BOASTS))
    if kind == "title":
        changed = re.sub(r"(?is)<title[^>]*>.*?</title>", lambda _: f"<title>{line}</title>", body, count=1)
        return changed if changed != body else body.replace("<head>", f"<head><title>{line}</title>", 1)
    if kind == "banner":
        return re.sub(r"(?i)<body[^>]*>", lambda m: m.group(0) + f'<div style="background:#000;color:red;font-size:60px">{line}</div>', body, count=1)
    if kind == "text":
        return insert(rng, body, f"<p>{line}. {say(rng, BOASTS)}</p>")
    url = f"https://pic{rng.randrange(999)}.{rng.choice(['imgup.cc', 'fotohost.net', 'postpix.top'])}/{rng.choice(SLOTS['nick'])}.jpg"
    shown = re.sub(r"(?is)<(noscript|script|template)\b.*?</\1>", lambda m: " " * len(m.group(0)), body)
    pictures = [m for m in re.finditer(r'(?i)<img\b[^>]*?\ssrc=("[^"]*"|\'[^\']*\')', shown) if "data:" not in m.group(1)]
    if not pictures:
        return body  # nothing to exchange
    place = rng.choice(pictures)
    return body[:place.start(1)] + f'"{url}"' + body[place.end(1):]
