"""Wording held back: written before the judge's rules for boasts were, and read by nothing but bench/web/deface when it
measures. No lists of names: handles, gangs and places are made of syllables. Who mends the judge tunes on fit.py and
bench.py, never on what is missed here. One person wrote it and the lexicon: "hacked by" in each language is in both. Beside the boasts stands what editors do to the same pages."""
import re

from . import craft

HEADS = "ba be bo da de do fa ga gi ha ju ka ki ko la le lo ma mi mo na ne ni pa qu ra re ri ro sa sha so ta te to va vi xa ye za ze zo".split()
TAILS = "ck d g k l lt m n nd ng nx r rk rx s sh sk t th v x z".split()
BANDS = "{c} {o} {g}|{o} {g}|{g} of {c}|{c}{o}|The {c} {o}|{g} {o} {n}|{o} of {c}"
COLOURS = "Crimson Iron Pale Frozen Burning Bitter Grey Scarlet Northern Broken Sleepless Hollow".split()
OWLS = "Jackal Wolves Falcon Mantis Scorpion Spectre Hornet Reaper Vultures Serpent Samurai Panther".split()
GROUPS = "Team|Crew|Cyber Army|Squad|Syndicate|Collective|Clan|Underground|Gang|Hackers|Security|Legion".split("|")
BOASTS = {
    "en": ["Hacked by {nick}", "{gang} has taken control of this website", "This page was defaced by {nick}", "0wn3d by {nick} & {nick}", "{nick} was here. Your admin is sleeping.",
           "Dear administrator, your server is vulnerable. We only changed the index. Contact us: {contact}", "You have been hacked! No files were deleted, only your pride. {nick}",
           "We are {gang}. Remember our name. Your firewall is a joke", "Stop the genocide! This government site is seized by {gang}", "Breach complete. {gang} owns your database now. Telegram: {contact}",
           "Knock knock, admin? {nick} came through your open door. Patch your CMS!", "#Op{place} engaged. {gang} | {nick} | {nick} | {nick}", "Special thanks to: {nick} - {nick} - {nick} and all members of {gang}",
           "Security is low, hacked just for fun by {nick}", "Your files are ours. {gang} does not negotiate. Pay or we leak everything"],
    "vi": ["Website này đã bị {nick} chiếm quyền điều khiển", "Bị hack bởi {gang}", "{nick} đã ghé qua đây, admin ngủ ngon nhé", "Trang của các bạn bảo mật quá tệ, chúng tôi là {gang}", "Đã bị tấn công bởi {nick}. Vá lỗi đi admin!",
           "Xin chào quản trị viên, máy chủ của bạn đã bị {gang} xâm nhập. Liên hệ {contact}", "Gửi chính quyền {place}: chúng tôi đã vào hệ thống của các ông. {gang}", "{nick} hack cho vui, dữ liệu còn nguyên, nhớ nâng cấp bảo mật"],
    "id": ["Diretas oleh {nick}", "Situs ini telah diretas oleh {gang}", "Maaf admin, website kamu kami deface. Perbaiki keamanannya! {nick}", "{nick} pernah singgah di sini, salam dari {gang}", "Keamanan web pemerintah sangat lemah, hacked by {nick}"],
    "tr": ["{nick} tarafından hacklendi", "Bu site {gang} tarafından ele geçirilmiştir", "Sisteminiz güvenli değil admin! {nick} buradaydı", "Vatan için hacklendi :: {gang}"],
    "pt": ["Invadido por {nick}", "Este site foi hackeado por {gang}", "Seu sistema foi invadido, administrador. Corrija as falhas! {nick}", "{gang} esteve aqui - segurança zero"],
    "es": ["Hackeado por {nick}", "Este sitio ha sido hackeado por {gang}", "Señor administrador, su seguridad es una burla. {nick} estuvo aquí"],
    "fr": ["Piraté par {nick}", "Ce site a été piraté par {gang}", "Votre sécurité est nulle, monsieur l'admin. {nick} est passé par là"],
    "ar": ["تم اختراق الموقع من قبل {nick}", "تم الاختراق بواسطة {gang}", "رسالة الى مدير الموقع: الحماية ضعيفة جدا - {nick}", "{gang} اخترقنا موقعكم"],
    "zh": ["本站已被 {nick} 入侵", "此网站被{gang}黑了", "管理员你好,你的服务器存在漏洞,{nick} 到此一游"],
    "ru": ["Взломано {nick}", "Сайт взломан группой {gang}", "Админ, твоя защита дырявая! {nick} был здесь"],
}
LANGUAGES = ["en"] * 5 + ["vi"] * 4 + ["id"] * 2 + [key for key in BOASTS if key not in ("en", "vi", "id")]
EDITS = ["Thông báo nghỉ lễ Quốc khánh {day}/9, bộ phận một cửa {place} làm việc trở lại ngày {day}/9", "Chúc mừng năm mới {place}! Kính chúc quý khách an khang thịnh vượng", "Cảnh báo: tin tặc lợi dụng lỗ hổng để tấn công website cơ quan nhà nước",
         "Công an {place} bắt nhóm hacker xâm nhập trang web của sở để sửa điểm thi", "Trung tâm an ninh mạng hướng dẫn quản trị viên vá lỗ hổng, nâng cấp bảo mật máy chủ", "Website xã {place} bị hack, người dân không truy cập được trong {day} giờ",
         "Le site sera indisponible pour maintenance le {day} mars de 22 h à 6 h", "Nous avons mis à jour notre politique de confidentialité. Vos données sont protégées par notre équipe sécurité", "En cas de piratage de votre compte, contactez immédiatement notre assistance",
         "Nouveauté : téléchargez notre application et profitez de {day} jours gratuits", "We have updated section {day}: how we notify you if our servers are hacked or your data is breached", "Our security team won the hackathon of {place}; thanks to all members",
         "Administrators must patch their systems against the vulnerability published on {day} May", "Contact our data protection officer at privacy@{place}.example", "Liên hệ quản trị website qua Zalo {day}{day}{day} hoặc telegram để được hỗ trợ", "Hotline {day}{day}.{day}{day} – Đội phản ứng nhanh {place}",
         "Die Nutzungsbedingungen wurden am {day}. Mai geändert", "Hội thi tìm hiểu an toàn thông tin: đội {place} giành giải nhất, gửi lời cảm ơn các thành viên", "Danh sách đội tuyển eSports {place}: Team Rồng Xanh, Team Hổ Mang", "Gửi quý phụ huynh và các em học sinh trường {place}"]
PLACES = ("title", "banner", "heading", "text", "footer", "image")


def handle(rng):
    name = "".join(rng.choice(HEADS) for _ in range(rng.randint(1, 3))) + rng.choice(TAILS)
    shape = rng.randrange(8)
    if shape == 0:
        return name.translate(str.maketrans("aeio", "4310")).capitalize()
    if shape == 1:
        return f"{name.capitalize()}{rng.randrange(1000)}"
    if shape == 2:
        return f"xX{name.capitalize()}Xx"
    if shape == 3:
        return f"{rng.choice(['Mr', 'Dr', 'El', 'Sir'])}.{name.capitalize()}"
    if shape == 4:
        return f"{name}_{rng.choice(HEADS)}{rng.choice(TAILS)}"
    return name.upper() if shape == 5 else name.capitalize()


def gang(rng):
    slots = {"c": COLOURS, "o": OWLS, "g": GROUPS, "n": [str(n) for n in range(3, 99)]}
    return craft.fill(rng, rng.choice(BANDS.split("|")), slots)


def contact(rng):
    return rng.choice(["t.me/{}", "@{}", "{}@proton.me", "{}@tutanota.com", "discord: {}"]).format(handle(rng).lower())


def place(rng):
    return " ".join("".join(rng.choice(HEADS) for _ in range(rng.randint(1, 2))).capitalize() for _ in range(2))


def say(rng, template):
    makers = {"nick": handle, "gang": gang, "contact": contact, "place": place, "day": lambda r: str(r.randint(1, 28))}
    return re.sub(r"\{(\w+)\}", lambda m: makers[m.group(1)](rng), template)


def zalgo(rng, text):
    return "".join(c + "".join(chr(0x300 + rng.randrange(0x50)) for _ in range(rng.randint(0, 4))) for c in text)


def written(rng, text, language):
    """As defacers write it: mostly plain."""
    kind = rng.choice(["plain"] * 7 + ["upper", "frame", "leet", "zalgo", "craft"])
    if kind == "frame":
        return rng.choice(["[ {} ]", "-=[ {} ]=-", "~ {} ~", "☠ {} ☠", "╔═ {} ═╗"]).format(text)
    if kind == "leet" and language == "en":
        return "".join(rng.choice([c, c.translate(str.maketrans("aeiostAEIOST", "431057431057"))]) for c in text)
    if kind == "zalgo" and language == "en":
        return zalgo(rng, text)
    if kind == "craft":
        return craft.disguise(rng, text)
    if language == "vi" and rng.random() < .3:
        text = craft.without_marks(text)
    return text.upper() if kind == "upper" else text


def boast(rng, language=None):
    language = language or rng.choice(LANGUAGES)
    return written(rng, say(rng, rng.choice(BOASTS[language])), language)


def styled(rng, line):
    return rng.choice(["<p>{}</p>", "<h2>{}</h2>", "<center><font color=red size=7>{}</font></center>", '<div style="background:black;color:#0f0;text-align:center">{}</div>',
                       "<marquee>{}</marquee>", "<div><b>{}</b></div>"]).format(line)


def put(rng, body, kind, piece):
    """piece(line shape) stands at its place; the body as it was where there is no such place."""
    lower = body.lower()
    if kind == "title":
        return re.sub(r"(?is)(<title[^>]*>).*?(</title>)", lambda m: m.group(1) + piece(None) + m.group(2), body, count=1)
    if kind == "banner":
        return re.sub(r"(?i)<body[^>]*>", lambda m: m.group(0) + piece(rng), body, count=1)
    if kind == "heading":
        return re.sub(r"(?is)(<h1[^>]*>).*?(</h1>)", lambda m: m.group(1) + piece(None) + m.group(2), body, count=1)
    if kind == "footer":
        at = lower.rfind("</body>")
        return body[:at] + piece(rng) + body[at:] if at >= 0 else body + piece(rng)
    start = max(lower.find("<body"), 0)
    shown = re.sub(r"(?is)<(noscript|script|style|template)\b.*?</\1>", lambda m: " " * len(m.group(0)), body)
    spots = [m.end() for m in re.finditer(r"(?i)</(p|div|li|ul)>", shown) if m.end() > start]
    at = rng.choice(spots) if spots else len(body)
    return body[:at] + piece(rng) + body[at:]


def partial(rng, body, kind):
    if kind == "image":
        shown = re.sub(r"(?is)<(noscript|script|template)\b.*?</\1>", lambda m: " " * len(m.group(0)), body)
        pictures = [m for m in re.finditer(r'(?i)<img\b[^>]*?\ssrc=("[^"]*"|\'[^\']*\')', shown) if "data:" not in m.group(1)]
        if not pictures:
            return body
        spot = rng.choice(pictures)
        return body[:spot.start(1)] + f'"https://{rng.choice(HEADS)}{rng.choice(TAILS)}.{rng.choice(["pics", "host", "sx", "gallery"])}/{handle(rng)}.gif"' + body[spot.end(1):]
    lines = [boast(rng) for _ in range(1 if kind in ("title", "heading") else rng.randint(1, 3))]
    return put(rng, body, kind, lambda shaped: styled(rng, "<br>".join(lines)) if shaped else lines[0])


def edit(rng, body, kind):
    """What an editor puts at the same places."""
    line = say(rng, rng.choice(EDITS))
    return put(rng, body, kind, lambda shaped: f'<p>{line}</p>' if shaped else line)


FAMILIES = ("single", "wall", "hero", "script", "song")


def page(rng, family):
    lines = [boast(rng, rng.choice(["en", "en", rng.choice(LANGUAGES)])) for _ in range(rng.randint(1, 5))]
    title = rng.choice([boast(rng), gang(rng), handle(rng), "HACKED", "Pwned!", lines[0]])
    picture = f'<img src="{rng.choice(["logo", "skull", "x"])}.{rng.choice(["png", "gif"])}">'
    if family == "single":
        return craft.page(title, f"<h1>{lines[0]}</h1>")
    if family == "wall":
        return craft.page(title, f"<div class=c>{picture}<br>" + "<br><br>".join(lines) + f"<hr>{' | '.join(handle(rng) for _ in range(rng.randint(2, 9)))}</div>", "<style>*{background:#000;color:#eee}</style>")
    if family == "hero":
        return craft.page(title, f'<section><h1>{lines[0]}</h1>{picture}<h3>{lines[-1]}</h3><p>{contact(rng)}</p></section><script src="https://cdn.jsdelivr.net/npm/typed.js"></script>', '<meta name="viewport" content="width=device-width"><link href="https://fonts.googleapis.com/css?family=Orbitron" rel="stylesheet">')
    if family == "script":
        return craft.page(title, f"<script>alert({lines[0]!r});</script><center><b>{lines[-1]}</b><br>{gang(rng)}</center>")
    return craft.page(title, f'<body bgcolor=black text=white><audio src="m.mp3" autoplay loop></audio><pre>{chr(10).join(lines)}</pre>')


def news_portal_text(rng, count):
    return "".join(f"<p>{say(rng, rng.choice(EDITS))}</p>" for _ in range(count))


def ordinary(rng):
    """A page of editors' wording, seen once: the hard negatives."""
    name = f"{rng.choice(['Cổng thông tin', 'Trang tin', 'Site officiel', 'Office of'])} {place(rng)}"
    return craft.page(rng.choice([name, say(rng, rng.choice(EDITS))]), f"<h1>{name}</h1>" + news_portal_text(rng, rng.randint(1, 12)))
