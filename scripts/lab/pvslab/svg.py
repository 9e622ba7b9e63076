# SPDX-License-Identifier: BSD-2-Clause
"""Charts as inline SVG: text in, text out; no script, no network, no font of its own."""

import math
from html import escape

COLOURS = {"off": "#7b8494", "static-rt": "#c77700", "on": "#0b7a75", "measure": "#5b6ee1"}
INK, SOFT, GRID, BAD = "#1b2330", "#5d6675", "#e4e7ec", "#b3261e"
WIDTH = 620


def num(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


def element(name, body="", **attributes):
    inside = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
                     for key, value in attributes.items() if value is not None)
    return f"<{name}{inside}>{body}</{name}>" if body != "" else f"<{name}{inside}/>"


def text(x, y, body, **attributes):
    attributes.setdefault("fill", INK)
    attributes.setdefault("font_size", 13)
    return element("text", escape(str(body)), x=num(x), y=num(y), **attributes)


def rect(x, y, width, height, **attributes):
    return element("rect", x=num(x), y=num(y), width=num(max(width, 0)), height=num(height),
                   **attributes)


def line(x1, y1, x2, y2, **attributes):
    attributes.setdefault("stroke", GRID)
    return element("line", x1=num(x1), y1=num(y1), x2=num(x2), y2=num(y2), **attributes)


def drawing(height, parts, title, width=WIDTH):
    return element("svg", element("title", escape(title)) + "".join(parts),
                   viewBox=f"0 0 {width} {num(height)}", role="img", class_="chart",
                   xmlns="http://www.w3.org/2000/svg")


def duration(ns):
    """A time as people say it: three digits at most."""
    for limit, unit, name in ((1e3, 1, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms")):
        if ns < limit * 0.9995:
            break
    else:
        unit, name = 1e9, "s"
    value = ns / unit
    digits = 0 if value >= 99.95 or unit == 1 else 1 if value >= 9.995 else 2
    shown = f"{value:.{digits}f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return f"{shown} {name}"


class LogScale:
    """Nanoseconds to pixels; ticks at powers of ten, a little air at both ends."""

    def __init__(self, values, left, right):
        low = min((v for v in values if v > 0), default=1e3)
        high = max(values, default=1e6)
        self.first = math.log10(max(low, 1)) - 0.2
        self.last = max(math.log10(max(high, 1)) + 0.2, self.first + 1)
        self.left, self.right = left, right

    def at(self, ns):
        part = (math.log10(max(ns, 1)) - self.first) / (self.last - self.first)
        return self.left + min(max(part, 0), 1) * (self.right - self.left)

    def decades(self):
        return [10 ** power for power in range(math.ceil(self.first), math.floor(self.last) + 1)]

    def axis(self, top, bottom):
        out = []
        for tick in self.decades():
            x = self.at(tick)
            out.append(line(x, top, x, bottom))
            out.append(text(x, bottom + 17, duration(tick), fill=SOFT, text_anchor="middle",
                            font_size=12))
        return out


def histogram(values, scale, bins):
    """Heights 0..1 over equal steps of the axis; the square root keeps the rare visible."""
    counts = [0] * bins
    for value in values:
        part = (scale.at(value) - scale.left) / (scale.right - scale.left)
        counts[min(int(part * bins), bins - 1)] += 1
    most = max(counts, default=0) or 1
    return [math.sqrt(count / most) for count in counts]


def latency_strips(strips, title):
    """
    One strip for each mode: (mode, name, values in ns, {"median": ns, ...}). Where the marks
    are is what the eye should find; the cloud says how many.
    """
    left, right, top, row, tall = 150, WIDTH - 22, 8, 104, 48
    scale = LogScale([v for _, _, values, _ in strips for v in values], left, right)
    bottom = top + row * len(strips)
    parts = scale.axis(top, bottom)
    for index, (mode, name, values, marks) in enumerate(strips):
        base = top + row * index + tall + 18
        colour = COLOURS[mode]
        parts.append(text(0, base - 14, name[0], font_weight="600", font_size=16, fill=colour))
        parts.append(text(0, base + 6, name[1], fill=SOFT, font_size=12))
        bins = 130
        step = (right - left) / bins
        for at, height in enumerate(histogram(values, scale, bins)):
            if height:
                parts.append(rect(left + at * step, base - height * tall, step * 0.86,
                                  max(height * tall, 1.5), fill=colour, opacity=0.45))
        parts.append(line(left, base, right, base, stroke=colour, opacity=0.5))
        parts += strip_marks(marks, scale, base, colour)
    parts.append(text((left + right) / 2, bottom + 38, "delay from timer to running "
                      "(each step to the right is ten times longer)", fill=SOFT,
                      text_anchor="middle", font_size=12))
    return drawing(bottom + 46, parts, title)


def strip_marks(marks, scale, base, colour):
    """Marks below the strip; labels that would collide make room for each other."""
    labels = [f"{name} {duration(value)}" for name, value in marks.items()]
    wide = [6.6 * len(label) + 8 for label in labels]
    at = []
    for value, _ in zip(marks.values(), labels):
        after = at[-1] + wide[len(at) - 1] if at else 0
        at.append(max(scale.at(value) - 4, after))
    edge = WIDTH
    for index in reversed(range(len(at))):
        at[index] = min(at[index], edge - wide[index])
        edge = at[index]
    out = []
    for (name, value), x_label, label in zip(marks.items(), at, labels):
        x = scale.at(value)
        out.append(line(x, base - 4, x, base + 9, stroke=colour, stroke_width=2.5))
        out.append(text(x_label, base + 22, label, font_size=12,
                        font_weight="700" if name == "worst" else "400"))
    return out


def cumulative(series, title, width=520):
    """Share of wake-ups served within a time, for each mode: [(mode, name, values)]."""
    left, right, top, bottom = 48, width - 16, 12, 222
    scale = LogScale([v for _, _, values in series for v in values], left, right)
    parts = scale.axis(top, bottom)
    for percent in (0, 25, 50, 75, 100):
        y = bottom - (bottom - top) * percent / 100
        parts.append(line(left, y, right, y))
        parts.append(text(left - 8, y + 4, f"{percent} %", fill=SOFT, text_anchor="end",
                          font_size=12))
    for mode, _, values in series:
        points = curve(sorted(values), scale, top, bottom)
        parts.append(element("polyline", points=points, fill="none", stroke=COLOURS[mode],
                             stroke_width=2.5, stroke_linejoin="round"))
    for index, (mode, name, _) in enumerate(series):
        x = left + index * (right - left) / 3
        parts.append(line(x, bottom + 36, x + 22, bottom + 36, stroke=COLOURS[mode],
                          stroke_width=3))
        parts.append(text(x + 28, bottom + 40, name, font_size=13))
    return drawing(bottom + 50, parts, title, width)


def curve(ordered, scale, top, bottom, points=240):
    """A step curve thinned to what can be seen, both ends exact."""
    count = len(ordered)
    if not count:
        return ""
    wanted = sorted({round(i * (count - 1) / (points - 1)) for i in range(points)})
    out = [f"{num(scale.left)},{num(bottom)}"]
    for index in wanted:
        y = bottom - (bottom - top) * (index + 1) / count
        out.append(f"{num(scale.at(ordered[index]))},{num(y)}")
    out.append(f"{num(scale.right)},{num(top)}")
    return " ".join(out)


def bars(groups, title, unit="%", top_value=None, width=520):
    """
    Horizontal bars: [(label, note, [(mode, name, value, mark or None)])]. A mark is a black
    tick: what the bar should be.
    """
    left, right, tall, gap = 152, width - 84, 17, 13
    most = top_value or max([value for _, _, rows in groups for _, _, value, _ in rows] +
                            [m for _, _, rows in groups for _, _, _, m in rows if m] + [1e-9])
    y = 6
    parts = []
    for label, note, rows in groups:
        parts.append(text(0, y + 14, label, font_weight="600", font_size=14))
        parts.append(text(0, y + 31, note, fill=SOFT, font_size=12))
        for mode, name, value, mark in rows:
            long = (right - left) * value / most
            parts.append(rect(left, y, long, tall, fill=COLOURS[mode], rx=2))
            end = left + long
            if mark is not None:
                x = left + (right - left) * mark / most
                parts.append(line(x, y - 3, x, y + tall + 3, stroke=INK, stroke_width=2.5))
                end = max(end, x + 1)
            parts.append(text(end + 8, y + 13, f"{value:.1f} {unit}", font_size=13,
                              font_weight="600"))
            parts.append(text(end + 62, y + 13, name, font_size=12, fill=SOFT))
            y += tall + 4
        y += gap
    return drawing(y, parts, title, width)
