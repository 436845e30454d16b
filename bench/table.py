# SPDX-License-Identifier: BSL-1.0
"""The figures of one run as Markdown."""

BOTTLENECK = 0.95  # of a core


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


def markdown(result):
    text = caption(result) + "\n"
    for (work, set_up, protocol, in_flight), figures in groups(result["figures"]).items():
        where = "client and server on one core" if set_up == "one core" else "client and server on a core each"
        text += (f"\n### {work}, {protocol}, {in_flight} in flight, {where}\n\n"
                 "| client | CPU, x the floor | CPU us | requests/s | p50 us | p99 us | p99.9 us | peak MiB | server's core |\n"
                 "|---|---|---|---|---|---|---|---|---|\n")
        text += "".join(row(figure) for figure in sorted(figures, key=lambda figure: figure["ratio"]))
    for title, reason in result["skipped"].items():
        text += f"\nSkipped: {title}: {reason}.\n"
    return text
