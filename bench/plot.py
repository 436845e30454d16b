# SPDX-License-Identifier: BSL-1.0
"""The figures of one run as SVG, made by hand, so that nothing need be installed."""

import math
from html import escape

WIDTH, LEFT, RIGHT = 960, 210, 130
INK, FAINT, OURS = "#24292f", "#d0d7de", "#0a3069"
SHADES = ["#9ecae1", "#6baed6", "#3182bd", "#08519c"]
MARKS = {"p50_us": "#3182bd", "p99_us": "#e6862a", "p999_us": "#b2182b"}
PROTOCOLS = ("HTTP/1.1", "HTTP/2")


class Drawing:
    """Grows downwards: `y` is where the next thing goes."""

    def __init__(self, title, subtitle):
        self.parts = []
        self.y = 28
        self.text(16, self.y, title, size=17, weight="bold")
        self.y += 20
        self.text(16, self.y, subtitle, size=11.5)
        self.y += 16

    def text(self, x, y, content, size=12.0, anchor="start", weight="normal", colour=INK):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
                          f'font-weight="{weight}" fill="{colour}">{escape(content)}</text>')

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>')

    def legend(self, entries):
        x = LEFT
        for label, colour in entries:
            self.bar(x, self.y - 9, 10, 10, colour)
            self.text(x + 15, self.y, label, size=11.5)
            x += 35 + 6.5 * len(label)
        self.y += 12

    def svg(self):
        height = self.y + 12
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
                f'height="{height:.0f}" font-family="Helvetica, Arial, sans-serif">\n'
                f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def where(result, set_up):
    machine = result["machine"]
    return (f"loopback, {set_up}; GET over TLS 1.3, verified, 800-byte bearer token, nginx; {machine['cpu']}, "
            f"{machine['cores']} cores; {result['date']}; medians of {result['pairs']} pairs")


def name_of(drawing, y, client, ours=None):
    ours = client == "jeton" if ours is None else ours
    drawing.text(LEFT - 10, y, client, anchor="end", weight="bold" if ours else "normal", colour=OURS if ours else INK)


def steps_to(limit):
    step = next(step for step in (0.5, 1, 2, 5, 10, 20) if limit / step <= 8)
    return [i * step for i in range(int(limit / step) + 1)]


def cost(result, set_up):
    figures = [f for f in result["figures"] if f["set_up"] == set_up and f["work"] == "GET"]
    in_flights = sorted({f["in_flight"] for f in figures})
    shade = dict(zip(in_flights, SHADES[-len(in_flights):] if len(in_flights) < 4 else SHADES))
    drawing = Drawing("Client CPU per request, as a multiple of the floor (in brackets: µs); shorter is better", where(result, set_up))
    drawing.y += 8
    drawing.legend([(f"{n} in flight", shade[n]) for n in in_flights if n in shade])
    longest = max(f["ratio"] for f in figures)
    scale = (WIDTH - LEFT - RIGHT) / longest
    for protocol in PROTOCOLS:
        panel = [f for f in figures if f["protocol"] == protocol]
        if not panel:
            continue
        rows = {}
        for figure in panel:
            rows.setdefault(figure["client"], []).append(figure)
        drawing.y += 22
        drawing.text(16, drawing.y, protocol, size=13.5, weight="bold")
        drawing.y += 8
        top, thick = drawing.y, 11
        ticks_at = len(drawing.parts)
        for client, cells in sorted(rows.items(), key=lambda row: sum(f["ratio"] for f in row[1]) / len(row[1])):
            name_of(drawing, drawing.y + 4 + thick * len(cells) / 2, client)
            for figure in sorted(cells, key=lambda f: f["in_flight"]):
                width = figure["ratio"] * scale
                drawing.bar(LEFT, drawing.y, width, thick - 2, shade.get(figure["in_flight"], SHADES[0]))
                drawing.text(LEFT + width + 5, drawing.y + 8.5,
                             f"{figure['ratio']:.2f}  ({figure['cpu_us_per_request']:.1f} µs)", size=9.5)
                drawing.y += thick
            drawing.y += 7
        bars, drawing.parts = drawing.parts[ticks_at:], drawing.parts[:ticks_at]
        for tick in steps_to(longest):
            drawing.line(LEFT + tick * scale, top - 3, LEFT + tick * scale, drawing.y, INK if tick == 1 else FAINT)
            drawing.text(LEFT + tick * scale, drawing.y + 12, f"{tick:g}", size=10, anchor="middle")
        drawing.parts += bars
        drawing.y += 16
    return drawing.svg()


def latency(result, set_up):
    known = [f for f in result["figures"] if f["set_up"] == set_up and f["work"] == "GET" and f["p99_us"]]
    in_flight = min({f["in_flight"] for f in known}, key=lambda n: abs(n - 64))
    known = [f for f in known if f["in_flight"] == in_flight]
    drawing = Drawing(f"Latency at {in_flight} in flight", where(result, set_up))
    drawing.y += 8
    drawing.legend([("p50", MARKS["p50_us"]), ("p99", MARKS["p99_us"]), ("p99.9", MARKS["p999_us"])])
    low = math.log10(min(f["p50_us"] for f in known) * 0.8)
    high = math.log10(max(f["p999_us"] for f in known) * 1.2)

    def x_of(value):
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - 60)

    for protocol in PROTOCOLS:
        panel = sorted((f for f in known if f["protocol"] == protocol), key=lambda f: f["p99_us"])
        if not panel:
            continue
        drawing.y += 22
        drawing.text(16, drawing.y, protocol, size=13.5, weight="bold")
        drawing.y += 6
        bottom = drawing.y + 22 * len(panel) + 6
        for power in range(math.floor(low), math.ceil(high) + 1):
            for digit in (1, 2, 5):
                value = digit * 10 ** power
                if low <= math.log10(value) <= high:
                    drawing.line(x_of(value), drawing.y, x_of(value), bottom)
                    label = f"{value / 1000:g} ms" if value >= 1000 else f"{value:g} µs"
                    drawing.text(x_of(value), bottom + 12, label, size=10, anchor="middle")
        for figure in panel:
            drawing.y += 22
            name_of(drawing, drawing.y + 1, figure["client"])
            drawing.line(x_of(figure["p50_us"]), drawing.y - 3, x_of(figure["p999_us"]), drawing.y - 3, "#8c959f", 2)
            for name, colour in MARKS.items():
                drawing.dot(x_of(figure[name]), drawing.y - 3, colour)
        drawing.y = bottom + 16
    return drawing.svg()


TOKEN_READS = {"token_check_time_read": "jeton, the check, time read", "token_check": "jeton, the check",
               "token_get": "jeton, co_await get()", "token_x_oauth2": "Go x/oauth2, Token()"}


def token_reads(result):
    """Of what bench/micro.py measures: the CPU of one thread."""
    machine = result["machine"]
    drawing = Drawing("Reading a token that is there: CPU for each read, by threads that do so; shorter is better",
                      f"no network; {machine['cpu']}, {machine['cores']} cores; {result['date']}; "
                      f"medians of {result['repetitions']} runs")
    rows = {}
    for figure in result["figures"]:
        kind, _, threads = figure["name"].partition("/threads:")
        if kind in TOKEN_READS:
            rows.setdefault(kind, {})[int(threads)] = figure["cpu_ns"]
    drawing.y += 8
    drawing.legend([(f"{n} thread{'s' if n > 1 else ''}", shade) for n, shade in zip((1, 2, 4), SHADES[1:])])
    scale = (WIDTH - LEFT - RIGHT) / max(max(cells.values()) for cells in rows.values())
    drawing.y += 8
    for kind in (k for k in TOKEN_READS if k in rows):
        name_of(drawing, drawing.y + 22, TOKEN_READS[kind], ours=kind != "token_x_oauth2")
        for shade, (_, nanoseconds) in zip(SHADES[1:], sorted(rows[kind].items())):
            drawing.bar(LEFT, drawing.y, nanoseconds * scale, 11, shade)
            drawing.text(LEFT + nanoseconds * scale + 5, drawing.y + 9.5, f"{nanoseconds:.{1 if nanoseconds < 10 else 0}f} ns", size=9.5)
            drawing.y += 13
        drawing.y += 9
    return drawing.svg()


def all_plots(result):
    plots = {}
    for set_up in dict.fromkeys(f["set_up"] for f in result["figures"]):
        name = set_up.replace(" ", "-")
        plots[f"cost-{name}"] = cost(result, set_up)
        plots[f"latency-{name}"] = latency(result, set_up)
    return plots
