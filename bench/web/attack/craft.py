"""What both sides of the split share: seeded choice, slots, disguises of text, ways to hide. No wording."""
import random
import re
import unicodedata

LOOKALIKES = str.maketrans({"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х", "y": "у", "i": "і"})
INVISIBLE = "\u200b\u200c\u2060\u00ad"
HIDING = {
    "display": '<div style="display:none">{}</div>',
    "visibility": '<div style="visibility:hidden">{}</div>',
    "offscreen": '<div style="position:absolute;left:-9999px;top:-9999px">{}</div>',
    "indent": '<div style="text-indent:-9999px">{}</div>',
    "font": '<div style="font-size:0">{}</div>',
    "colour": '<div style="background:#ffffff;color:#ffffff">{}</div>',
    "overflow": '<div style="height:0;overflow:hidden">{}</div>',
    "noscript": "<noscript>{}</noscript>",
    "marquee": '<marquee style="height:1px;width:1px" scrollamount="9000">{}</marquee>',
    "clip": '<div style="position:absolute;clip:rect(0,0,0,0)">{}</div>',
}


def fill(rng, template, slots):
    """Each {name} by a choice of slots[name], which may have slots itself."""
    for _ in range(6):
        text = re.sub(r"\{(\w+)\}", lambda m: str(rng.choice(slots[m.group(1)])), template)
        if text == template:
            break
        template = text
    return template


def without_marks(text):
    text = unicodedata.normalize("NFD", text).replace("đ", "d").replace("Đ", "D")
    return unicodedata.normalize("NFC", "".join(c for c in text if not unicodedata.combining(c)))


def disguise(rng, text, kind=None):
    """The same words for a reader, other bytes."""
    kind = kind or rng.choice(["plain"] * 8 + ["bare", "nfd", "lookalike", "invisible", "dots", "spaces", "wide", "upper"])
    if kind == "bare":
        return without_marks(text)
    if kind == "nfd":
        return unicodedata.normalize("NFD", text)
    if kind == "lookalike":
        return text.translate(LOOKALIKES)
    if kind == "invisible":
        return "".join(c + (rng.choice(INVISIBLE) if c.isalpha() and rng.random() < .5 else "") for c in text)
    if kind == "dots":
        return " ".join(".".join(word) if len(word) > 2 and word.isalpha() and rng.random() < .5 else word
                        for word in text.split())
    if kind == "spaces":
        return "  ".join(" ".join(word) if len(word) > 3 and word.isalpha() and rng.random() < .3 else word
                         for word in text.split())
    if kind == "wide":
        return "".join(chr(ord(c) + 0xfee0) if "!" <= c <= "~" else c for c in text)
    return text.upper() if kind == "upper" else text


def generator(seed, *names):
    return random.Random("/".join([str(seed), *map(str, names)]))


def page(title, body, head=""):
    return f"<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{title}</title>{head}</head><body>{body}</body></html>"
