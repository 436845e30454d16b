# SPDX-License-Identifier: BSL-1.0
"""The figures of one run as Markdown."""

import counted

BOTTLENECK = 0.95  # of a core

# What jeton's CPU per request should be at most, as a multiple of another client's: at which numbers in flight, and how much.
LIMITS = {"HTTP/1.1": ((1, 16, 64), {"floor (epoll + OpenSSL)": 1.25, "wrk (load generator)": 1.0, "Asio ssl::stream": 1.0,
                                     "Boost.Beast": 0.6, "libcurl multi": 0.35, "Go net/http + x/oauth2": 0.45,
                                     "Rust reqwest": 0.5}),
          "HTTP/2": ((64,), {"nghttp2, minimal": 1.25, "h2load (load generator)": 1.0, "libcurl multi": 0.35,
                             "Go net/http + x/oauth2": 0.65, "Rust reqwest": 0.7})}
P99_LIMIT = ("wrk (load generator)", 64, 1.2)


def caption(result):
    machine = result["machine"]
    return (f"`{result['command']}`, {result['date']}; {machine['cpu']}, {machine['cores']} cores, kernel {machine['kernel']}, "
            f"{machine['compiler']}, {machine['openssl']}; loopback; medians of {result['pairs']} pairs.")


def number(value, form="{:,.0f}"):
    return "" if value is None else form.format(value)


def megabytes(kib):
    return "" if kib is None else f"{kib / 1024:.0f}"


def server(figure):
    share = figure["server_share"]
    if share is None:
        return ""
    limit = ", the bottleneck" if figure["set_up"] == "two cores" and share >= BOTTLENECK else ""
    return f"{share:.0%}{limit}"


def row(figure):
    cells = [figure["client"], f"**{figure['ratio']:.2f}**", number(figure["cpu_us_per_request"], "{:.1f}"),
             number(figure["requests_per_second"]), number(figure["p50_us"]), number(figure["p99_us"]),
             number(figure["p999_us"]), megabytes(figure["peak_rss_kib"]), server(figure)]
    return "| " + " | ".join(cells) + " |\n"


def groups(figures):
    """By work, set-up, protocol and number in flight, in the order in which they were measured."""
    found = {}
    for figure in figures:
        key = (figure["work"], figure["set_up"], figure["protocol"], figure["in_flight"])
        found.setdefault(key, []).append(figure)
    return found


def place(set_up):
    return "client and server on one core" if set_up == "one core" else "client and server on a core each"


def against(limit, value):
    """A ratio, and a mark if it is more than it should be; there is not a limit for all."""
    return f"{value:.2f}" if limit is None or value <= limit else f"**{value:.2f}**"


def comparison(figures, protocol):
    """A row for each other client: jeton's CPU as a multiple of its, through both ratios to the floor that ran beside them."""
    in_flights = sorted({figure["in_flight"] for figure in figures})
    of = {(figure["client"], figure["in_flight"]): figure for figure in figures}
    where, limits = LIMITS[protocol]
    rows = []
    for client in dict.fromkeys([*limits, *(figure["client"] for figure in figures)]):
        if client == "jeton" or not any((client, n) in of for n in in_flights):
            continue
        cells = []
        for n in in_flights:
            ours, theirs = of.get(("jeton", n)), of.get((client, n))
            limit = limits.get(client) if n in where else None
            cells.append(against(limit, ours["ratio"] / theirs["ratio"]) if ours and theirs else "")
        rows.append([client, f"{limits[client]:.2f}" if client in limits else "", *cells])
    client, n, limit = P99_LIMIT
    ours, theirs = of.get(("jeton", n)), of.get((client, n))
    if protocol == "HTTP/1.1" and ours and theirs and theirs["p99_us"]:
        cells = [against(limit, ours["p99_us"] / theirs["p99_us"]) if n == each else "" for each in in_flights]
        rows.append([f"p99 beside that of {client}", f"{limit:.2f}", *cells])
    head = ["client", "at most", *(f"{n} in flight" for n in in_flights)]
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, ["---"] * len(head), *rows)) if rows else ""


def comparisons(figures):
    text = ""
    for work, set_up, protocol in dict.fromkeys((f["work"], f["set_up"], f["protocol"]) for f in figures):
        table = comparison([f for f in figures if (f["work"], f["set_up"], f["protocol"]) == (work, set_up, protocol)], protocol)
        if table:
            text += f"\n### {work}, {protocol}, {place(set_up)}\n\n{table}"
    if not text:
        return ""
    at = " and ".join(f"{', '.join(map(str, where))} in flight over {protocol}" for protocol, (where, _) in LIMITS.items())
    return ("\n## Beside what you would use instead\n\njeton's client CPU per request as a multiple of the other client's; "
            f"bold: more than it should be, which is asked of {at}.\n" + text)


def markdown(result):
    text = caption(result) + "\n" + comparisons(result["figures"]) + "\n## All figures\n"
    for (work, set_up, protocol, in_flight), figures in groups(result["figures"]).items():
        text += (f"\n### {work}, {protocol}, {in_flight} in flight, {place(set_up)}\n\n"
                 "| client | CPU, x the floor | CPU us | requests/s | p50 us | p99 us | p99.9 us | peak MiB | server's core |\n"
                 "|---|---|---|---|---|---|---|---|---|\n")
        text += "".join(row(figure) for figure in sorted(figures, key=lambda figure: figure["ratio"]))
    if result.get("per_request"):
        text += "\n## Counted\n" + counted.tables(result["per_request"])
    for title, reason in result["skipped"].items():
        text += f"\nSkipped: {title}: {reason}.\n"
    return text
