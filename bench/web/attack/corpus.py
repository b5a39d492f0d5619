"""Pages and names that nobody on this project wrote, split into sides: "fit" (weights), "line" (the line from scores to
log-odds, and the weights of signals), "test" (bench only). Split by site, by package and by name, never at random."""
import hashlib
import os
import re
import subprocess
import sys

SITES = {"fit": ["livi"], "line": ["petit-bambou"], "test": ["withings", "mon-espace-sante"]}
MANUALS = {"fit": {"libreoffice-help-vi": 1500, "libreoffice-help-en-us": 300, "libreoffice-help-zh-cn": 300, "libreoffice-help-id": 300,
                   "libreoffice-help-fr": 250, "libreoffice-help-es": 150, "libreoffice-help-pt-br": 150, "libreoffice-help-tr": 150, "libreoffice-help-ru": 150,
                   "libreoffice-help-de": 100, "harden-doc": 100, "sqlite3-doc": 200, "debian-handbook": 100, "apache2-doc": 400, "git-doc": 200},
           "line": {"postgresql-doc-15": 500},
           "test": {"installation-guide-amd64": 1600, "debian-policy": 50, "debian-reference-en": 20, "imagemagick-6-doc": 400, "aptitude-doc-en": 300,
                    "developers-reference": 100, "gnuplot-doc": 100}}
TOLD = ("pages of one site of the series, HTML manuals of " + ", ".join(MANUALS["fit"])
        + ",\n * half of a public list of betting domains against homepages of Debian packages")


def fetch(work):
    """Downloads and unpacks the packages whose manuals are read."""
    folder = os.path.join(work, "manuals")
    for name in [name for side in MANUALS.values() for name in side]:
        target = os.path.join(folder, name)
        if os.path.isdir(target):
            continue
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["apt-get", "download", name], cwd=folder, capture_output=True, text=True)
        debs = [deb for deb in os.listdir(folder) if deb.startswith(name + "_")]
        if done.returncode != 0 or not debs:
            sys.exit(f"cannot download {name}: run apt-get update first\n{done.stderr}")
        subprocess.run(["dpkg-deb", "-x", os.path.join(folder, debs[0]), target], check=True)


def manuals(work, side):
    for name, most in MANUALS[side].items():
        paths = sorted(os.path.join(base, file) for base, _, files in os.walk(os.path.join(work, "manuals", name))
                       for file in files if re.search(r"\.html?(\.\w\w)?$", file))
        for path in paths[::max(1, len(paths) // most)][:most]:
            with open(path, encoding="utf-8", errors="replace") as file:
                yield file.read()


def unpack_series(data, work):
    folder = os.path.join(work, "series")
    if not os.path.isdir(folder):
        os.makedirs(folder)
        source = os.path.join(data, "web", "page-series.tar.zst")
        subprocess.run(["tar", "-C", folder, "--strip-components=1", "--use-compress-program=zstd --long=27", "-xf", source], check=True)
    return folder


def versions(folder, page):
    return sorted(os.listdir(os.path.join(folder, page)), key=lambda name: int(name.split(".")[0]))


def series(data, work, side, each=10):
    folder = unpack_series(data, work)
    for page in sorted(os.listdir(folder)):
        if any(page.startswith(site) for site in SITES[side]):
            names = versions(folder, page)
            for name in names[::max(1, len(names) // each)]:
                with open(os.path.join(folder, page, name), encoding="utf-8", errors="replace") as file:
                    yield page.split("-")[0] + ".example", file.read()


def name_side(name):
    value = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 10
    return "fit" if value < 5 else "line" if value < 6 else "test"


def domains(data, side):
    with open(os.path.join(data, "web", "gambling-domains.txt"), encoding="utf-8") as file:
        return [name for name in map(str.strip, file) if name and not name.startswith("#") and name_side(name) == side]


def homepages(side):
    out = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    names = {match.lower() for match in re.findall(r"^Homepage: *https?://([^/\s:]+)", out, re.M)}
    return sorted(name for name in names if name_side(name) == side)
