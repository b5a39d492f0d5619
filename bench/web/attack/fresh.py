"""A second set held out: turns, designs and editors' changes written on 2026-11-26, before the judge of boasts was changed
that day, after how pages of real intruders in public archives are worded and laid out. Nothing is tuned on it and its
misses are read by nobody; it shares no table with the other sets."""
import re

from . import blind, craft

PLACES = blind.PLACES
FAMILIES = ("matrix", "card", "post", "takeover", "manifesto", "frames")
ALONE = ["Kael", "Zyrox", "Nadir", "Omen", "Pixl", "Qasem", "Rumi", "Sable", "Tarik", "Umbra", "Volt", "Wisp", "Yuki", "Zeta", "Bento", "Hasan", "Lazar", "Mido", "Nomad", "Orkan"]
BEHIND = ["", "", "404", "Sec", "ID", "Sploit", "Haxor", "Root", "Bot", "Dz", "Tn", "PK", "BD", "VN", "xD", "1337", "Exe", "Zone"]
OF = ["Cyber Team", "Haxor Crew", "Electronic Army", "Defacers", "Hacking Zone", "Cyber Force", "Blackhats", "Sec Labs", "Anons", "Exploit Squad", "Hacker Link", "Tim Siber", "Cyber Korps"]
FROM = ["Atlas", "Mekong", "Sahara", "Java", "Anatolia", "Lac Viet", "Bengal", "Andes", "Ural", "Kurdish", "Persian", "Borneo", "Maghreb", "Hong Lac", "Sunda"]
REAL = {
    "en": ["Hacked by {who}", "HaCkeD By {who}", "{who} was here", "{band} was here", "This server has been compromised by {band}", "{band} takeover", "Takeover by {who}", "Hacked by {who} from {band}", "Touched by {who}", "Just touched by {who}, sorry admin",
           "[!] {who} [!] your web is vulnerable", "Upss.. your website has been hacked by {who}", "Ooops! {who} got you", "Site locked by {who}", "Knocked out by {who}", "Pwnd? yes, by {band}", "{band} took over your server", "Don't worry admin, I only added a file. {who}", "Hi admin, your upload is vuln, please patch. {who}",
           "Patched by {who}, you are welcome", "You got hacked, kid. {who}", "#Hacked #{who}", "Mirror on zone-h, notified by {who}", "{band} on top", "{who} on the beat, your server on its knees", "Thanks for the access, {who}", "From {from} with love, {band}", "This is {band}. You spied on us, we visit you.", "We are {band}, legion of {from}. Your government will pay."],
    "vi": ["Hacked by {who}, xin lỗi vì đã ghé qua", "Trang này vừa bị {who} ghé thăm, bảo mật tệ quá", "Website của các bạn đã bị {band} tấn công", "{band} đã ở đây. Hãy bảo trì lại hệ thống!", "Bị hack rồi nhé, {who} đã cảnh báo trước", "{who} đã kiểm soát website này", "Lỗi upload chưa vá, {who} để lại file này",
           "Xin chào admin, web bị lỗi SQL, {who} không phá gì đâu", "{who} đi ngang qua, thấy cửa mở nên vào", "Đây là lời cảnh cáo của {band}", "Chúng tôi, {band}, đã nắm toàn bộ dữ liệu", "Hệ thống này đã thất thủ - {band}", "Server này giờ do {who} quản lý", "Web gì mà lỗ hổng đầy ra thế? {who}"],
    "id": ["Hacked by {who} - {band}", "Situs ini kena hack sama {who}", "Maaf min, {who} cuma lewat", "{band} telah mengambil alih server ini", "Website anda rentan, segera perbaiki. {who}", "Diretas {who}, keamanan nol besar", "{who} ganteng was here"],
    "tr": ["{who} tarafından hacklendi", "Sisteminiz {band} kontrolü altında", "{band} buradaydı, güvenlik açığınızı kapatın", "Hack3d by {who} vatan için"],
    "es": ["Hackeado por {who} de {band}", "{band} pasó por tu servidor", "Admin, tu web es vulnerable. Atte. {who}"], "pt": ["Hackeado por {who}, arruma isso aí admin", "{band} invadiu o seu sistema", "Owned by {who} do {from}"],
    "fr": ["Piraté par {who} de {band}", "Votre serveur a été compromis par {band}", "{who} est passé, sécurité zéro"], "ar": ["تم اختراق الموقع من قبل {who}", "{band} مر من هنا", "رسالة إلى المسؤول: موقعك ضعيف، {who}"],
    "zh": ["本站已被 {who} 黑了", "{band} 到此一游，请管理员修补漏洞"], "ru": ["Взломано {who}", "Сервер под контролем {band}", "Админ, привет от {who}"],
}
CLOSING = {
    "en": ["Your security is so bad, admin", "Greetz: {who} - {who} - {who}", "No system is 100% safe", "Secure your site before someone worse comes", "Contact: {mail}", "Telegram: {mail}", "Your files are fine, only the index was renamed", "We are one hand", "Stop the war on {from}", "Pay and get your data back: {mail}", "Thanks to all crew of {band}", "Sorry for your index, admin", "Justice for {from}", "security not found", "see you on the next server"],
    "vi": ["Hãy vá lỗ hổng sớm nhé admin", "Liên hệ: {mail}", "Không xóa gì cả, chỉ thêm một file", "Gửi lời cảm ơn tới {who} và {band}", "Bảo mật là trên hết", "Lần sau sẽ không nhẹ tay đâu"], "id": ["Kontak: {mail}", "Salam damai dari {band}", "Jangan marah ya min"], "tr": ["Selamlar: {who}, {who}"],
}
LANGUAGES = ["en"] * 6 + ["vi"] * 4 + ["id", "id", *(key for key in REAL if key not in ("en", "vi", "id"))]
EDITS = ["Cổng thông tin xã {from} bị tin tặc tấn công, cơ quan chức năng đang xử lý", "Bộ Công an: nhóm {band} xâm nhập trái phép nhiều hệ thống", "Một nam sinh tấn công website trường để sửa điểm", "Website hãng bay bị chèn nội dung xấu, nhóm hacker {band} nhận trách nhiệm", "Chuyên gia: chín phần mười vụ deface do mật khẩu yếu",
         "Hacker {who} bị tuyên phạt 18 tháng tù", "Hướng dẫn vá lỗ hổng nghiêm trọng trên hệ quản trị nội dung", "Shopping centre says intruders swapped its home page, now back", "The group {band} claimed responsibility for the attack on the airline, the newspaper wrote", "Hundreds of sites were defaced over the weekend, according to the national CERT", "What to do when your website is hacked: a guide for communes",
         "Lịch tiêm chủng tháng tới tại trạm y tế xã {from}", "Tuyển sinh lớp 10 năm học mới", "Thông báo cúp nước khu vực {from}", "Đấu thầu xây dựng trường mầm non {from}", "Giải bóng đá thanh niên: {from} thắng 3-1", "Welcome to the province of {from}: things to see and do", "Programme of the {from} film festival", "Chương trình nghệ thuật mừng xuân", "Nouveaux horaires d'ouverture de la mairie", "Neue Öffnungszeiten ab Montag", "省旅游局欢迎您", "Selamat datang di portal resmi", "Visa requirements for visitors from {from}"]


def who(rng):
    name = rng.choice(ALONE) + rng.choice(BEHIND)
    return rng.choice([name, name, name.lower(), name.upper(), f"Mr.{name}", f"./{name}", f"{name}_{rng.randrange(90)}", "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(name)), name.translate(str.maketrans("aeo", "430"))])


def band(rng):
    return f"{rng.choice(FROM)} {rng.choice(OF)}"


def mail(rng):
    return rng.choice(["@{}", "t.me/{}", "{}@onionmail.org", "{}@tutanota.com", "discord {}"]).format(who(rng).lower().strip("./"))


def say(rng, template):
    makers = {"who": who, "band": band, "mail": mail, "from": lambda rng: rng.choice(FROM)}
    return re.sub(r"\{(\w+)\}", lambda m: makers[m.group(1)](rng), template)


def boast(rng, most=3):
    language = rng.choice(LANGUAGES)
    lines = [say(rng, rng.choice(REAL[language]))] + [say(rng, rng.choice(CLOSING.get(language, CLOSING["en"]))) for _ in range(rng.randint(0, most - 1))]
    text = rng.choice([" - ", ". ", "<br>", " | ", " "]).join(lines)
    shape = rng.randrange(12)
    if shape == 0 and language == "vi":
        return craft.without_marks(text)
    return text.upper() if shape == 1 and "<" not in text else f"[+] {text} [+]" if shape == 2 else f"✘ {text} ✘" if shape == 3 else craft.disguise(rng, text) if shape == 4 else text


def partial(rng, body, kind):
    if kind == "image":
        return blind.partial(rng, body, kind)
    lines = [boast(rng, 1 if kind in ("title", "heading") else 3) for _ in range(1 if kind in ("title", "heading") else rng.randint(1, 2))]
    tag = rng.choice(["<p>{}</p>", "<div>{}</div>", "<h1>{}</h1>", "<center>{}</center>", '<font size="5" face="comic sans ms">{}</font>', '<pre>{}</pre>'])
    return blind.put(rng, body, kind, lambda shaped: tag.format("<br>".join(lines)) if shaped else lines[0])


def edit(rng, body, kind):
    line = say(rng, rng.choice(EDITS))
    return blind.put(rng, body, kind, lambda shaped: f"<p>{line}</p>" if shaped else line)


def page(rng, family):
    lines = [boast(rng, 2) for _ in range(rng.randint(1, 4))]
    name, first, rest = who(rng), lines[0], "".join(f"<p>{line}</p>" for line in lines[1:])
    fonts = '<link href="https://fonts.googleapis.com/css2?family=Orbitron&display=swap" rel="stylesheet">'
    if family == "matrix":
        return f'<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{rng.choice([first, f"Hacked by {name}", name])}</title>{fonts}<style>body{{margin:0;background:#000;color:#0f0;overflow:hidden}}#rain{{position:fixed;top:0;left:0}}</style></head><body><canvas id="rain"></canvas><main><h1>{first}</h1>{rest}</main><script>const c=document.getElementById("rain"),x=c.getContext("2d");setInterval(()=>{{x.fillText("01",Math.random()*c.width,9)}},40)</script></body></html>'
    if family == "card":
        return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{name}</title><style>.box{{display:flex;flex-direction:column;align-items:center;justify-content:center;min-height:100vh}}</style></head><body><div class="box"><img src="https://i.postimg.cc/{name.strip("./")}.jpg" alt=""><h2>{first}</h2>{rest}<a href="https://t.me/{name.lower().strip("./")}">contact</a></div></body></html>'
    if family == "post":
        return craft.page(first, f'<div class="header"><a href="/">Home</a></div><div class="post_content"><div style="text-align:center"><font size="6" face="comic sans ms"><b>{first}</b></font></div>{rest}</div><div class="footer">Powered by WordPress</div>')
    if family == "takeover":
        return f"<html><head><title>{first}</title></head><body><h1>{first}</h1></body></html>"
    if family == "manifesto":
        talk = " ".join(rng.choice(["We speak for those who have no voice.", "Your leaders sold the land of {from}.", "Children of {from} sleep under bombs while you count money.", "Our keyboards are our weapons.", "This is not a crime, it is a message.", "We will not stop until {from} is free.", "Chúng tôi yêu nước và không sợ hãi.", "Mọi sự im lặng đều là đồng lõa."]) for _ in range(rng.randint(4, 9)))
        return craft.page(rng.choice([name, band(rng), first]), f"<h1>{band(rng)}</h1><p>{say(rng, talk)}</p>{rest}<p>{first}</p>", "<style>body{background:#111;color:#eee}</style>")
    return f'<html><head><title>{name}</title></head><body style="margin:0"><iframe src="https://www.youtube.com/embed/x{rng.randrange(10**6)}?autoplay=1" width="0" height="0"></iframe><center><img src="https://i.ibb.co/{rng.randrange(10**6)}/flag.png" width="300"><h3>{first}</h3>{rest}</center></body></html>'
