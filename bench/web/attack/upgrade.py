"""What the people who keep a site do to its looks and leave its words: new sheets, renamed classes, another framework. Each
way is a function of the page that was, the same on every look, as a new skin is."""
import re
import zlib

FRAMEWORK = ("<style>.collapse:not(.show){display:none}.offcanvas{visibility:hidden;transform:translateX(100%)}.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0,0,0,0)}"
             ".dropdown-menu{display:none}.carousel-item{display:none}.carousel-item.active{display:block}.fade:not(.show){opacity:0}@media (min-width:992px){.d-lg-none{display:none}}</style>")
NETWORK = "https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist"


def sheets(body):
    """The same page by sheets of another name."""
    return re.sub(r'(?i)(<link\b[^>]*href=")([^"]+\.css)', lambda m: f"{m.group(1)}/assets/v2/{zlib.crc32(m.group(2).encode()):08x}.min.css", body)


def classes(body):
    """As a build step names them; new sheets come with them."""
    def rename(m):
        return m.group(1) + " ".join(f"{word[:3]}-{zlib.crc32(word.encode()) & 0xfffff:05x}" for word in m.group(2).split()) + '"'
    return re.sub(r'(?i)(\bclass=")([^"]*)"', rename, sheets(body))


def hiding(body):
    """Menus that open, a skip link and headings for screen readers, slides of which one is shown."""
    body = re.sub(r"(?i)</head>", FRAMEWORK + "</head>", body, count=1)
    body = re.sub(r"(?i)(<body[^>]*>)", r'\1<a class="visually-hidden" href="#main">Chuyển đến nội dung chính</a>', body, count=1)
    body = re.sub(r"(?i)<ul\b([^>]*)>", r'<ul class="dropdown-menu">', body, count=4)
    return re.sub(r"(?i)<h2\b[^>]*>", '<h2 class="visually-hidden">', body, count=2)


def framework(body, host=""):
    """Other elements inside other elements, a new program, hiding by classes; the same words in the same order."""
    body = hiding(classes(body))
    body = re.sub(r"(?i)<(/?)table\b[^>]*>", lambda m: f"<{m.group(1)}section>", body)
    body = re.sub(r"(?i)<(/?)(tr|tbody)\b[^>]*>", lambda m: f"<{m.group(1)}div>" if m.group(1) else '<div class="row">', body)
    body = re.sub(r"(?i)<(/?)td\b[^>]*>", lambda m: f"<{m.group(1)}div>" if m.group(1) else '<div class="col">', body)
    body = re.sub(r"(?i)<div\b([^>]*)>", r'<div class="container"><div\1>', body)
    body = re.sub(r"(?i)</div>", "</div></div>", body)
    body = re.sub(r"(?i)</head>", f'<link rel="stylesheet" href="{host or "/assets"}/css/bootstrap.min.css"></head>', body, count=1)
    return re.sub(r"(?i)</body>", f'<script src="{host or "/assets"}/js/bootstrap.bundle.min.js"></script></body>', body, count=1)


def network(body):
    return framework(body, NETWORK)


def relaunch(body):
    """A new framework and a new title, the site's slogan and a notice that it was renewed."""
    body = re.sub(r"(?is)(<title[^>]*>)(.*?)(</title>)", r"\1Trang chủ - \2\3", network(body), count=1)
    return re.sub(r"(?i)(<body[^>]*>)", r'\1<div class="alert">Giao diện mới của cổng thông tin đã được đưa vào sử dụng. Mời bạn góp ý!</div>', body, count=1)


WAYS = {"sheets renamed": sheets, "classes renamed": classes, "hiding by classes": hiding, "new framework, own host": framework,
        "new framework from a network": network, "relaunch: framework, title, notice": relaunch}
