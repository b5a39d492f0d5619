"""Wording of boasts for fitting, in the languages that defacers write, out of parts; and what editors and the press write of
the same things. Read by fit.py's side only; the bench has its own (bench.py, blind.py). Each turn of a sentence is of one side
by its own hash: "fit" are learned from, "line" draw the line from scores to log-odds and are what changes are tried on."""
import hashlib
import re

from . import craft, fit_voice

ONSETS = "b br c cr d dr f fr g gh gr h j k kh kr l m n ng p ph pr r s sk st sw t th tr v w y z".split()
VOWELS = "a e i o u ai ee ou ya ie uo".split()
CODAS = ["", "", "n", "r", "s", "x", "z", "k", "t", "l", "m", "ng", "ck", "th", "ss"]
EPITHETS = ("Dark Black Silent Red White Ghost Shadow Night Blood Steel Storm Fire Ice Wild Toxic Zero Lost Last Free Holy Royal Golden Desert Jungle Mountain Ocean Thunder Digital "
            "Binary Root Null Virtual Unknown Hidden Secret Angry Brave Evil Mad Crazy Young Old Green Blue Purple Alpha Omega Delta Neo Ultra Hyper").split()
BEASTS = ("Dragon Tiger Eagle Lion Cobra Shark Raven Bear Hawk Fox Spider Wolf Bull Rhino Lynx Viper Phoenix Knight Pirate Hunter Warrior Soldier Ninja Bandit Rebel Devil Angel Demon "
          "Titan Skull Byte Shell Exploit Cyber Hacker Coder Worm Virus Storm Lotus Bamboo Rose Sun Moon Star").split()
BANDS = "Team Crew Cyber_Army Squad Gang Group Clan Hackers Security Legion Union Army Force Family Brotherhood Syndicate Underground Club Elite Network Organization Ekibi Timi Grup".split()

VERBS = ["hacked", "owned", "pwned", "defaced", "rooted", "0wned", "h4cked", "pwn3d", "breached", "cracked", "destroyed", "infiltrated", "hijacked", "got owned", "taken over", "fucked", "raided"]
SLOTS = {
    "verb": VERBS,
    "your": ["your", "your", "this", "the", "ur", "their"], "thing": ["website", "site", "server", "security", "system", "firewall", "panel", "database", "host", "network", "portal", "web", "cms", "page", "index", "mail server", "hosting", "homepage", "protection"],
    "bad": ["weak", "low", "zero", "0", "bad", "poor", "trash", "useless", "a mess", "full of bugs", "open to everyone", "broken", "outdated", "like swiss cheese", "nothing", "shit", "not safe", "an illusion", "100% vulnerable", "fake", "so easy"],
    "fix": ["fix", "patch", "close", "repair", "secure", "update", "check", "protect", "mend", "upgrade", "improve", "rebuild"], "hole": ["holes", "bugs", "security", "system", "website", "vulnerabilities", "server", "ports", "code", "plugins", "shit", "uploads"],
    "boss": ["admin", "administrator", "webmaster", "sysadmin", "mr admin", "dear admin", "government", "sir", "owner", "admins", "boss", "developer"], "bye": ["regards", "signed", "from", "yours", "by", "love", "with respect", "good night", "bye", "peace", "kisses", "cheers", "sincerely"],
    "hi": ["hi", "hello", "thanks", "sorry", "good morning", "bye", "you lose", "checkmate", "welcome"], "deed": ["we hacked you", "we came", "we did it", "you were hacked", "{verb} in protest", "{verb} for revenge", "this site was {verb}", "your data is gone", "we took everything", "we left a shell", "your files were copied"],
    "why": ["because we can", "for fun", "for lulz", "for our brothers", "against the war", "against injustice", "for the people", "to teach you", "for freedom of speech", "because you never listen", "in memory of {who}", "for Gaza", "for the oppressed", "as revenge", "out of boredom"],
    "vthing": ["hệ thống", "trang web", "máy chủ", "website", "cổng thông tin", "server", "trang chủ", "web", "cơ sở dữ liệu", "mạng", "hộp thư", "trang này"], "vyour": ["của bạn", "của các bạn", "này", "của nhà nước", "của quý vị", "của mấy ông", "", ""],
    "vverb": ["hack", "tấn công", "xâm nhập", "chiếm quyền", "chiếm quyền điều khiển", "đánh sập", "deface", "kiểm soát", "đột nhập", "thay đổi giao diện", "khai thác", "bẻ khóa", "hạ gục", "cướp quyền quản trị", "mã hóa dữ liệu"],
    "vbad": ["yếu", "kém", "tệ", "lỏng lẻo", "sơ hở", "dễ vào", "cũ kỹ", "đầy lỗ hổng", "như không có", "bằng không", "quá dễ", "hở toang"], "vfix": ["vá", "sửa", "khắc phục", "nâng cấp", "cập nhật", "gia cố", "kiểm tra", "bịt"],
    "vhole": ["lỗ hổng", "lỗi", "bảo mật", "hệ thống", "máy chủ", "website", "mật khẩu", "cấu hình"], "vboss": ["admin", "quản trị viên", "ban quản trị", "anh admin", "các ông", "chính quyền", "cán bộ kỹ thuật", "sếp"],
    "vcalm": ["đừng hoảng", "đừng lo", "dữ liệu vẫn an toàn", "không mất gì cả", "chỉ đổi trang chủ", "không có ác ý", "chỉ cảnh báo", "dữ liệu đã bị sao chép", "sẽ công bố dữ liệu", "trả tiền đi"],
}
CLAIMS = {
    "en": ["hacked by {who}", "{who} hacked this site", "defaced by {who}", "owned by {who}", "pwned by {who}", "{who} owned your server", "your website has been hacked", "this site was hacked by {who}", "{who} was here",
           "website seized, {who}", "{who} took over your site", "rooted by {who}", "we are {who}", "breached by {who}", "stamped by {who}", "this domain belongs to {who} now", "{who} visited your server", "touched by {who}",
           "this portal is under control of {who}", "you are hacked", "your system is hacked by {who}", "server compromised by {who}", "your security got raped by {who}", "{who} cracked your panel", "infected by {who}", "hacked", "{who} hacked you again",
           "0wn3d by {who}", "h4ck3d by {who}", "d3f4c3d by {who}", "{who} broke your website", "this page was changed by {who}", "data of this site is in the hands of {who}", "{who} entered your database",
           *["{verb}! {who}", "{verb} by {who}", "{who} {verb} you", "{who} :: {verb}", "{verb}", "{who} says hello, you are {verb}", "we {verb} you, {who}", "site {verb}", "{deed} {why}", "{who} :: {deed} {why}", "{deed}, {who}", "{verb} {why} by {who}", "{your} {thing} was {verb} by {who}", "{your} {thing} {verb}", "{verb}: {who} says {hi} to {boss}", "{verb} in protest by {who}", "{verb} because of your bad security, {who}", "{who} {verb} this box"] * 2],
    "vi": [*["{vthing} {vyour} đã bị {vverb} bởi {who}", "{vthing} {vyour} đã bị {who} {vverb}", "{vthing} {vyour} bị {vverb} bởi {who}", "{who} đã {vverb} {vthing} {vyour}", "đã bị {vverb} bởi {who}", "bị {who} {vverb}", "{who} vừa {vverb} {vthing} {vyour}",
                "{vthing} {vyour} đã bị {vverb}, {vcalm}"] * 3,
           "trang web này đã bị hack bởi {who}", "bị hack bởi {who}", "{who} đã hack trang này", "website đã bị {who} tấn công", "đã bị deface bởi {who}", "{who} đã xâm nhập hệ thống", "máy chủ đã bị {who} chiếm quyền", "cổng thông tin này do {who} kiểm soát",
           "{who} từng ở đây", "{who} ghé thăm", "web này bị {who} hack rồi", "hacked by {who}", "đã bị xâm nhập bởi {who}", "bạn đã bị hack", "trang chủ bị {who} đánh chiếm", "dữ liệu của các bạn nằm trong tay {who}", "chúng tôi là {who}", "{who} đã vào được server này",
           "quyền quản trị thuộc về {who}", "site bị {who} deface", "đã bị đột nhập bởi {who}"],
    "id": ["diretas oleh {who}", "situs ini diretas oleh {who}", "website anda telah diretas {who}", "dihack oleh {who}", "{who} hadir di sini", "kena deface {who}", "{who} numpang lewat", "sistem anda dibobol {who}", "hacked by {who} Indonesia", "web ini milik {who} sekarang"],
    "tr": ["{who} tarafından hacklenmiştir", "bu site {who} tarafından hacklendi", "siteniz hacklendi", "{who} sitenizi ele geçirdi", "hacklendiniz {who}", "sunucunuz {who} kontrolünde", "{who} geldi"],
    "pt": ["hackeado por {who}", "site invadido por {who}", "{who} invadiu este servidor", "seu site foi hackeado por {who}", "{who} passou por aqui", "sistema dominado por {who}"],
    "es": ["hackeado por {who}", "sitio hackeado por {who}", "{who} ha tomado este sitio", "su servidor fue vulnerado por {who}", "{who} pasó por aquí", "página intervenida por {who}"],
    "fr": ["piraté par {who}", "hacké par {who}", "site piraté par {who}", "{who} a pris le contrôle de votre site", "votre site est à nous, {who}", "{who} était là"],
    "ar": ["تم اختراق الموقع بواسطة {who}", "تم الاختراق من طرف {who}", "هكر بواسطة {who}", "{who} كان هنا", "موقعكم مخترق من {who}", "لقد تم اختراقكم من {who}"],
    "zh": ["网站被{who}入侵", "{who}入侵了本站", "已被{who}黑掉", "黑客{who}到此", "服务器已被{who}控制"],
    "ru": ["сайт взломан {who}", "взломан хакером {who}", "{who} взломали этот сайт", "хакнуто {who}", "{who} были тут"],
    "de": ["gehackt von {who}", "diese Seite wurde von {who} gehackt", "{who} war hier"],
    "it": ["hackerato da {who}", "sito violato da {who}", "{who} è stato qui"],
}
TAUNTS = {
    "en": [*["{your} {thing} is {bad}", "{thing} {bad}", "{your} {thing} = {bad}", "{fix} your {hole} {boss}", "{fix} your {hole}", "{boss}, {fix} your {hole}", "{bye} {who}", "{who} says {hi}", "{hi} {boss}", "{who} says {hi} to the {boss}", "{deed} {why}", "{why}"] * 4,
           "security is low", "patch your system", "fix your bugs admin", "sorry admin", "your security is weak", "update your site", "nothing is secure", "no system is safe", "we are everywhere", "we do not forgive, we do not forget", "expect us", "wake up admin", "greetz to {who} {who} {who}",
           "shoutz: {who}, {who}", "thanks to all my friends", "free Palestine", "stop corruption", "long live {who}", "dear admin, you have a bug", "nothing was deleted", "do not worry your files are safe", "just a warning", "better luck next time", "contact me {mail}", "mail: {mail}", "find me {mail}",
           "i am not a terrorist", "game over", "message to the government: stop lying to your people", "your backup is gone", "all your data will be published", "bitcoin or leak", "this is a protest", "learn to secure your box", "feel the power of {who}", "next time it will be worse", "secure it or lose it", "your firewall failed",
           "#Op{word}", "members: {who} - {who} - {who}", "we were inside for weeks", "too easy", "change your password", "hire me to fix it"],
    "vi": [*["{vthing} {vyour} {vbad}", "bảo mật {vbad}", "{vfix} {vhole} đi {vboss}", "hãy {vfix} {vhole} đi", "{vboss} hãy {vfix} {vhole}", "{vboss} ơi, {vfix} {vhole} ngay", "{vcalm}", "xin chào {vboss}", "{vcalm}, {vcalm}"] * 3,
           "bảo mật kém", "vá lỗ hổng đi admin", "admin ơi dậy đi", "chào quản trị viên", "hệ thống quá yếu", "nâng cấp bảo mật đi", "không phá dữ liệu, chỉ nhắc nhở", "liên hệ {mail}", "gửi lời chào tới {who}", "thông điệp gửi chính phủ", "chính quyền hãy lắng nghe", "lần sau sẽ xóa hết", "lỗi bảo mật nghiêm trọng, sửa đi",
           "hack để vui", "xin lỗi admin", "đừng chủ quan", "cảm ơn anh em {who}", "trả tiền chuộc hoặc công khai dữ liệu", "quá dễ", "ban quản trị làm ăn kiểu gì vậy", "hãy cập nhật hệ thống", "chỉ thay trang chủ"],
    "id": ["maaf admin", "keamanan web anda lemah", "tolong perbaiki celahnya", "salam hacker", "jangan nangis min", "pemerintah harus dengar rakyat", "hubungi {mail}", "terima kasih kepada {who}", "cuma iseng"],
    "tr": ["güvenliğiniz sıfır", "açıklarınızı kapatın", "selam olsun {who}", "yönetici uyan", "iletişim {mail}", "vatan sağolsun"],
    "pt": ["segurança fraca", "arrume seu servidor", "acorda administrador", "contato {mail}", "fora corruptos", "agradecimentos a {who}"],
    "es": ["seguridad débil", "arregle su servidor", "despierta administrador", "contacto {mail}", "fuera corruptos", "saludos a {who}"],
    "fr": ["sécurité faible", "corrigez vos failles", "réveille-toi administrateur", "contact {mail}", "salutations à {who}"],
    "ar": ["حماية ضعيفة", "رسالة للمدير", "احذروا الثغرات", "تحية الى {who}"], "zh": ["请修复漏洞", "安全太差", "管理员注意", "联系 {mail}"], "ru": ["слабая защита", "админ проснись", "закройте уязвимость", "привет {who}"],
    "de": ["schlechte Sicherheit", "grüße an {who}"], "it": ["sicurezza scarsa", "saluti a {who}"],
}
LANGUAGES = ["en"] * 9 + ["vi"] * 7 + ["id"] * 3 + ["tr", "tr", "pt", "pt", "es", "es", "fr", "fr", "ar", "ar", "zh", "zh", "ru", "ru", "de", "it"]
SEPARATORS = [" ", ". ", " - ", "! ", " | ", ", ", " :: ", "<br>", " ~ "]

BENIGN = {  # the press, security offices and policies; and plain sentences, so that a language itself says nothing
    "en": ["Our site was hacked last year; here is what we learned", "Hackers attacked {word} servers, police say", "We notify users within 72 hours if their data was breached", "Administrators should patch the vulnerability at once", "How to tell if your website has been hacked", "The team was here to celebrate with members of the club",
           "Contact the administrator if your account has been compromised", "Owned by the city of {word}", "A site owned by {word} Ltd.", "This page was last changed by {word}", "Thanks to all members of the team", "Greetings to all participants", "Anonymous statistics are collected to improve our security", "Government message to the people of {word}",
           "Security update: fix your system by {day} May", "You have been logged out", "Your data is safe with us", "Written by {who}", "Photo by {who}", "Reviewed by the security team", "Follow us on Telegram @{low}", "Contact: {low}@gmail.com", "Designed and hosted by {who}", "Hackathon of {word}: {who} wins"],
    "vi": ["Tin tặc tấn công website của {word}, công an điều tra", "Website {word} bị hack đã khôi phục", "Cảnh báo lỗ hổng bảo mật, đề nghị quản trị viên cập nhật", "Hướng dẫn quản trị viên vá lỗ hổng máy chủ", "Nhóm hacker bị bắt vì xâm nhập hệ thống của {word}", "Trang web {word} từng bị tấn công thay đổi giao diện", "Thông điệp gửi chính phủ và nhân dân nhân dịp quốc khánh",
           "Gửi lời chào tới các đại biểu", "Cảm ơn anh em đồng đội", "Ban quản trị thông báo nâng cấp hệ thống", "Liên hệ quản trị viên: {low}@{low}.gov.vn", "Diễn tập ứng cứu khi trang web bị tấn công", "Quản trị nội dung: {who}", "Nguồn: {who}", "Ảnh: {who}", "Đội {who} vô địch", "Kênh Telegram chính thức: @{low}", "Xin chào quý khách, hệ thống đang bảo trì",
           "Dữ liệu của các bạn được bảo mật", "Chúng tôi là cơ quan chuyên môn thuộc Ủy ban nhân dân", "Đã bị thu hồi bởi quyết định số {day}", "Bảo mật thông tin cá nhân của người dân", "Đã được phê duyệt bởi Chủ tịch {word}", "Công trình bị hư hỏng bởi bão số {day}", "Hành vi chiếm quyền điều khiển máy tính của người khác bị xử phạt"],
    "id": ["Situs pemerintah diretas, polisi menyelidiki", "Hubungi admin jika akun anda bermasalah", "Terima kasih kepada semua peserta dari {word}", "Keamanan data anda penting bagi kami", "Website ini dikelola oleh {who}", "Salam dari kepala dinas {word}", "Pengumuman pendaftaran siswa baru tahun {day}", "Kantor buka pada hari kerja di {word}"],
    "tr": ["Bakanlık sitesi siber saldırıya uğradı", "Bu site {who} tarafından hazırlanmıştır", "Güvenlik güncellemesi yayınlandı", "Kişisel verileriniz korunmaktadır", "Belediye başkanı {word} halkı ile buluştu", "İletişim: {low}@gmail.com"],
    "pt": ["Site do governo foi alvo de ataque hacker", "Este site é mantido por {who}", "A segurança dos seus dados é prioridade", "Entre em contato com o administrador", "A prefeitura de {word} informa o horário", "Publicado por {who}"],
    "es": ["El sitio del ministerio fue atacado", "Este sitio es administrado por {who}", "La seguridad de sus datos es importante", "Contacte al administrador", "El ayuntamiento de {word} informa", "Publicado por {who}"],
    "fr": ["Le site de la mairie a été piraté, une enquête est ouverte", "Ce site est édité par {who}", "Votre sécurité est notre priorité", "Contactez l'administrateur du site", "Publié par {who}", "La ville de {word} vous informe", "En cas de violation de données, nous vous informons", "Votre site de référence pour la santé"],
    "ar": ["تعلن الوزارة عن بدء التسجيل", "أخبار المدينة اليوم", "سياسة الخصوصية وحماية البيانات", "للتواصل مع إدارة الموقع", "تم نشر التقرير بواسطة {who}", "افتتح المدير المركز الجديد من قبل الوزير"],
    "zh": ["本站由{who}维护", "网络安全宣传周活动", "请联系管理员", "市政府发布通知", "修复道路的公告", "黑客攻击事件正在调查", "隐私政策与服务条款"],
    "ru": ["Администрация города сообщает", "Сайт создан {who}", "Защита персональных данных", "Хакеры атаковали сайт министерства", "Новости и события", "Свяжитесь с администратором"],
    "de": ["Die Seite wurde von {who} erstellt", "Die Sicherheit Ihrer Daten", "Website der Stadt {word}", "Hacker griffen die Verwaltung an"], "it": ["Sito curato da {who}", "La sicurezza dei dati", "Il comune di {word} informa"],
}


def sided(table, more):
    """By side and language: what stands in both tables; a turn is of one side only."""
    sides = {"fit": {}, "line": {}}
    for language in table:
        for row in table[language] + more.get(language, []) * (2 if language in ("en", "vi") else 1):
            side = "line" if int(hashlib.sha256(row.encode()).hexdigest(), 16) % 5 == 0 else "fit"
            sides[side].setdefault(language, []).append(row)
    return sides


CLAIMS, TAUNTS, BENIGN = sided(CLAIMS, fit_voice.CLAIMS), sided(TAUNTS, fit_voice.TAUNTS), sided(BENIGN, fit_voice.BENIGN)


def word(rng, most=3):
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.randint(1, most))).capitalize()


def handle(rng):
    name = rng.choice([word(rng), word(rng, 2) + rng.choice(BEASTS), rng.choice(EPITHETS) + rng.choice(BEASTS), word(rng, 2)])
    shape = rng.randrange(9)
    if shape == 0:
        return "".join(rng.choice([c, c.translate(str.maketrans("aeiost", "431057"))]) for c in name.lower())
    if shape == 1:
        return f"{name}{rng.choice(['_', '-', '.', ''])}{rng.randrange(1, 999)}"
    if shape == 2:
        return rng.choice(["Mr.{}", "Mr_{}", "x{}x", "i{}", "Dr_{}", "King{}", "{}-VN", "./{}", "{}_ID", "[{}]", "~{}~", "#{}"]).format(name)
    return name.upper() if shape == 3 else name.lower() if shape == 4 else name


def band(rng):
    return rng.choice(["{e} {b} {t}", "{w} {t}", "{e} {t}", "{b} {t}", "{t} {w}", "{t} of {w}", "{e}{b}", "{w} {b} {t}", "The {e} {b}", "{w} {e} {t}"]).format(
        e=rng.choice(EPITHETS), b=rng.choice(BEASTS), t=rng.choice(BANDS).replace("_", " "), w=word(rng))


def fill(rng, template):
    template = craft.fill(rng, template, SLOTS | fit_voice.SLOTS | {name: [f"<{name}>"] for name in ("who", "word", "low", "day", "mail")})
    makers = {"who": lambda: rng.choice([handle, handle, band])(rng), "word": lambda: word(rng), "low": lambda: word(rng).lower(), "day": lambda: str(rng.randrange(1, 29)),
              "mail": lambda: rng.choice(["{}@gmail.com", "{}@protonmail.com", "t.me/{}", "telegram @{}", "{}@mail.ru", "icq {}", "fb.com/{}", "instagram {}", "discord.gg/{}"]).format(handle(rng).lower().strip("[]#~./"))}
    for name, maker in makers.items():
        while f"<{name}>" in template:
            template = template.replace(f"<{name}>", maker(), 1)
    return template


def cased(rng, text):
    return rng.choice([text, text, text[:1].upper() + text[1:], text.title(), text.upper()])


def framed(rng, text):
    return rng.choice(["{}"] * 6 + ["[ {} ]", "=[{}]=", "-= {} =-", "<< {} >>", "★ {} ★", "▓ {} ▓", "./{}", "~# {}", "{} !!!", "{} ;)", "{} :P"]).format(text)


def heaped(rng, text):
    return "".join(c + "".join(chr(rng.randrange(0x300, 0x36f)) for _ in range(rng.choice([0, 3, 5]))) for c in text)


def boast(rng, most=3, side="fit"):
    """A claim, or a few sentences with one, or a taunt that can only be one."""
    language = rng.choice([key for key in LANGUAGES if key in CLAIMS[side] and key in TAUNTS[side]])
    parts = [rng.choice(CLAIMS[side][language])] if rng.random() < .75 else []
    parts += [rng.choice(TAUNTS[side][language]) for _ in range(rng.randint(0, most - 1) if parts else rng.randint(2, 4))]
    rng.shuffle(parts)
    text = framed(rng, cased(rng, rng.choice(SEPARATORS).join(fill(rng, part) for part in parts)))
    if language == "vi" and rng.random() < .35:
        text = craft.without_marks(text)
    return heaped(rng, text) if rng.random() < .03 else craft.disguise(rng, text)


def report(rng, side="fit"):
    """One or two sentences that are right where they stand."""
    language = rng.choice(["vi", "vi", "en", "en", rng.choice(list(BENIGN[side]))])
    text = rng.choice([". ", " ", "<br>", " – "]).join(fill(rng, rng.choice(BENIGN[side][language])) for _ in range(rng.randint(1, 3)))
    return craft.without_marks(text) if language == "vi" and rng.random() < .1 else rng.choice([text, text, text, text.upper()])
