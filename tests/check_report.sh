#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `wavecast report`: what is on the page, that it needs nothing else, and how a browser shows it:
# without complaints, every chart drawn, in light and dark.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
command -v gnuplot >/dev/null || skip "gnuplot is not installed: NO REPORT WAS TESTED"
exec python3 - "$program" "$src" <<'PYTHON'
import csv, gzip, os, re, shutil, sqlite3, struct, subprocess, sys, tempfile, zlib
from html.parser import HTMLParser

program, source = sys.argv[1], sys.argv[2]
work = tempfile.mkdtemp()
complaints = []
LIGHT, DARK = (0xff, 0xff, 0xff), (0x14, 0x17, 0x1b)  # backgrounds of cli/page.c
# And its first colours of series.
SERIES = {LIGHT: [(0x00, 0x72, 0xb2), (0xe6, 0x9f, 0x00), (0x00, 0x9e, 0x73)],
          DARK: [(0x4e, 0xa3, 0xdc), (0xf0, 0xb4, 0x29), (0x2c, 0xc6, 0x9a)]}
TIMELINE = "Timeline of the SMs, simulated"
VOID = {"meta", "link", "br", "img", "hr", "wbr"}


def expect(condition, what):
    if not condition:
        complaints.append(what)


def run(*arguments, **options):
    return subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, **options)


def path(name):
    return os.path.join(work, name)


def small_set(folder):
    """Some configurations and routings of a recorded set: enough to fit and to judge."""
    origin = os.path.join(source, "validate/recorded/h200-alpha-moe-olmoe")
    os.makedirs(folder)
    shutil.copy(os.path.join(origin, "set.yaml"), folder)
    kept = set()
    for name, keep in (("histograms.csv", lambda row, n: n % 4 == 0),
                       ("measurements.csv", lambda row, n: row["histogram"] in kept
                        and int(row["stages"]) in (2, 4) and int(row["bm"]) % 16 == 0)):
        with gzip.open(os.path.join(origin, name + ".gz"), "rt", newline="") as old, \
                open(os.path.join(folder, name), "w", newline="") as new:
            rows = csv.DictReader(old)
            out = csv.DictWriter(new, rows.fieldnames, lineterminator="\n")
            out.writeheader()
            for n, row in enumerate(rows):
                if keep(row, n):
                    kept.add(row["histogram"])
                    out.writerow(row)


class Page(HTMLParser):
    """Checks nesting and collects what the page is made of."""

    def __init__(self, text, name):
        super().__init__()
        self.name, self.open, self.ids = name, [], []
        self.figures, self.svg_marks, self.captions, self.titles = 0, [], 0, []
        self.feed(text)
        self.close()
        expect(not self.open, f"{name}: not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        expect(tag not in ("script", "link", "img", "iframe", "object"), f"{self.name}: <{tag}>")
        self.figures += tag == "figure"
        self.captions += tag == "figcaption"
        if tag == "svg":
            self.svg_marks.append(0)
            expect(attributes.get("aria-label"), f"{self.name}: a chart without a label")
        elif "svg" in self.open and any("var(--s" in str(v) for v in attributes.values()):
            self.svg_marks[-1] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        expect(self.open and self.open[-1] == tag, f"{self.name}: </{tag}> closes {self.open[-1:]}")
        if self.open:
            self.open.pop()


def check_page(name, figures, words):
    with open(path(name), encoding="utf-8") as file:
        text = file.read()
    page = Page(text, name)
    expect(page.figures == figures, f"{name}: {page.figures} figures, not {figures}")
    expect(page.captions == figures and len(page.svg_marks) == figures, f"{name}: a figure lacks "
           "its chart or caption")
    expect(all(page.svg_marks), f"{name}: an empty chart: {page.svg_marks}")
    twice = {i for i in page.ids if page.ids.count(i) > 1}
    expect(not twice, f"{name}: ids that occur twice: {sorted(twice)[:5]}")
    fetched = re.findall(r"""(?:src|href)=["'](?!#)[^"']*|url\([^)]*\)|@import""", text)
    expect(not fetched, f"{name}: fetches {fetched[:3]}")
    undefined = (set(re.findall(r"var\((--[a-z0-9]+)\)", text)) -
                 set(re.findall(r"(--[a-z0-9]+):", text)))
    expect(not undefined, f"{name}: colours that the page does not define: {undefined}")
    for word in words:
        expect(word in text, f"{name}: {word!r} is missing")


def pixels(png):
    """Colours of a PNG with 8 bits per channel, as a list of (r, g, b) rows."""
    data = open(png, "rb").read()
    at, stream = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, _, color = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            stream += chunk
        at += length + 12
    depth = {2: 3, 6: 4}[color]
    raw, stride, before = zlib.decompress(stream), width * depth, bytearray(width * depth)
    counts = {}
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        if kind == 1:
            for i in range(depth, stride):
                row[i] = (row[i] + row[i - depth]) & 255
        elif kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, before))
        elif kind == 3:
            for i in range(stride):
                left = row[i - depth] if i >= depth else 0
                row[i] = (row[i] + (left + before[i]) // 2) & 255
        elif kind == 4:
            for i in range(stride):
                a = row[i - depth] if i >= depth else 0
                b, c = before[i], before[i - depth] if i >= depth else 0
                p = a + b - c
                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                row[i] = (row[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255
        before = row
        for i in range(0, stride, depth):
            key = (row[i], row[i + 1], row[i + 2])
            counts[key] = counts.get(key, 0) + 1
    return counts


def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    print("SKIP: no chromium: THE PAGE WAS NOT SHOWN IN A BROWSER")
    return None


def timeline_alone(name):
    """A page with nothing but the timeline of another, so that it is in the window."""
    with open(path(name), encoding="utf-8") as file:
        text = file.read()
    figures = [figure for figure in re.findall(r"<figure>.*?</figure>", text, re.S)
               if TIMELINE in figure]
    expect(len(figures) == 1, f"{name}: {len(figures)} timelines")
    with open(path("timeline.html"), "w", encoding="utf-8") as file:
        file.write(text[:text.index("<h1>")] + "".join(figures) + "</body></html>")
    check_page("timeline.html", 1, [">HBM 100 %<", ">fused<", "time (us)", " rows</li>",
                                    "simulated "])
    boxes = figures[0].count("<polygon fill = 'var(--s") if figures else 0
    expect(50 < boxes < 2500, f"{name}: {boxes} CTAs in the timeline")
    return "timeline.html"


def show(name, background, options, colors=1):
    """Loads the page as a reader's browser would; nothing may be complained about."""
    command = [browser(), "--headless", "--disable-gpu", "--hide-scrollbars",
               "--user-data-dir=" + path("profile"), "--window-size=400,900",
               "--enable-logging=stderr", "--screenshot=" + path("page.png"), *options,
               "file://" + path(name)]
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60)
    console = [line for line in done.stderr.split("\n") if "CONSOLE" in line]
    expect(not console, f"{name}: the browser complains: {console[:3]}")
    if not os.path.exists(path("page.png")):
        complaints.append(f"{name}: the browser shows nothing: {done.stderr[-300:]}")
        return
    counts = pixels(path("page.png"))
    total = sum(counts.values())
    expect(counts.get(background, 0) > 0.4 * total, f"{name}: the background is not {background}")
    for color in SERIES[background][:colors]:
        expect(counts.get(color, 0) > 100, f"{name}: no curve in {color}")
    os.remove(path("page.png"))


def refused(done, code, words):
    expect(done.returncode == code, f"{words}: exit {done.returncode}, not {code}: {done.stderr}")
    expect(words in done.stderr, f"{words!r} is not in {done.stderr!r}")
    expect(not os.path.exists(path("no.html")), f"{words}: a page was written")


try:
    small_set(path("sets/one"))
    made = run("sweep", os.path.join(source, "tests/sweeps/hopper.yaml"), "-o", path("results.db"))
    expect(made.returncode == 0, made.stderr)
    done = run("report", path("sets"), "-o", path("sets.html"))
    expect(done.returncode == 0, done.stderr)
    # A scatter, regrets, a budget curve and a timeline.
    check_page("sets.html", 4, ["Measured: one", "best-static", "What timings buy", TIMELINE])
    done = run("report", path("results.db"), "--model", "mixtral-8x7b", "-o", path("sweep.html"))
    expect(done.returncode == 0, done.stderr)
    # A map and a what-if curve for each of three GPUs, a timeline, verdicts in a table.
    check_page("sweep.html", 7, ["Winners: h20, mixtral-8x7b", "id=\"verdicts\"", "of h200-sxm",
                                 "routing aware", TIMELINE + ": h100-sxm, mixtral-8x7b"])
    night = ["--blink-settings=preferredColorScheme=0"]
    if browser():
        show("sets.html", LIGHT, [])
        show("sweep.html", DARK, night)
    for name in ("sets.html", "sweep.html"):
        alone = timeline_alone(name)
        if browser():
            show(alone, LIGHT, ["--window-size=800,700"], colors=3)
            show(alone, DARK, night + ["--window-size=800,700"], colors=3)
    with sqlite3.connect(path("results.db"), isolation_level=None) as db:
        db.execute("DELETE FROM batches WHERE batch_id = 5")
    done = run("report", path("results.db"), "--model", "olmoe-1b-7b", "-o", path("part.html"))
    expect(done.returncode == 0, done.stderr)
    check_page("part.html", 7, ["the sweep is not finished"])
    with sqlite3.connect(path("results.db"), isolation_level=None) as db:
        db.execute("UPDATE configs SET config = config || ',bm=1'")
    done = run("report", path("results.db"), "--model", "olmoe-1b-7b", "-o", path("other.html"))
    expect(done.returncode == 0, done.stderr)
    check_page("other.html", 6, ["No timeline of h100-sxm: "])
    refused(run("report", path("missing"), "-o", path("no.html")), 3, "no such file")
    refused(run("report", work, "-o", path("no.html")), 3, "neither a measurement set nor")
    refused(run("report", os.path.join(source, "README.md"), "-o", path("no.html")), 3,
            "not a results file")
    refused(run("report", path("results.db"), "--gpu", "b200", "-o", path("no.html")), 3,
            "no predicted problem")
    refused(run("report", path("results.db")), 2, "--output is missing")
    os.makedirs(path("empty"))
    refused(run("report", path("results.db"), "-o", path("no.html"),
                env={**os.environ, "PATH": path("empty")}), 2, "gnuplot-nox")
    refused(run("report", path("results.db"), "-o", path("nowhere/no.html")), 2, "cannot write")
    with sqlite3.connect(path("results.db"), isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")
        refused(run("report", path("results.db"), "-o", path("no.html")), 3, "locked")
        db.execute("ROLLBACK")
        db.execute("PRAGMA user_version = 99")
        refused(run("report", path("results.db"), "-o", path("no.html")), 3, "version 99")
finally:
    shutil.rmtree(work, ignore_errors=True)
print("\n".join(complaints))
sys.exit(1 if complaints else 0)
PYTHON
