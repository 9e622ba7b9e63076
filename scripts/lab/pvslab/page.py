# SPDX-License-Identifier: BSD-2-Clause
"""demo.html: what was measured, for somebody who has never heard of it."""

from html import escape

from . import svg
from .figures import fair_run_ns, holds, hostile_rows, percentile, ratio
from .svg import duration

MODE_NAMES = {"off": "without", "static-rt": "static priority", "on": "with the library",
              "measure": "measure-only"}
STRIP_NAMES = {"off": ("Without", "ordinary scheduling"),
               "static-rt": ("Static priority", "what people do today"),
               "on": ("With libpvsched", "the guest says it")}

STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#f6f7f9;color:#1b2330;font:16px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:22px 28px 60px}
h1{font-size:31px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:21px;margin:44px 0 4px}
h3{font-size:16px;margin:0 0 2px}
p{margin:0 0 10px;max-width:78ch}
.lead{font-size:17px;color:#414b5a;max-width:96ch;margin-bottom:16px}
.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:14px;margin:0 0 16px}
.card,.panel{background:#fff;border:1px solid #e4e7ec;border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:14px;font-weight:600}
.card .big{font-size:28px;line-height:1.25;font-weight:700;white-space:nowrap;
letter-spacing:-.02em}
.card .big s{text-decoration:none;color:#7b8494;font-weight:500;font-size:21px}
.card .big i{font-style:normal;color:#7b8494;font-weight:400;padding:0 2px}
.card .big em{font-style:normal;color:#0b7a75}
.card small{display:block;color:#5d6675;font-size:13px;line-height:1.35}
.stack{display:grid;gap:14px;align-content:start}
.two{display:grid;grid-template-columns:1fr 1fr;gap:14px}
.first{display:grid;grid-template-columns:1.22fr 1fr;gap:14px}
.panel p{font-size:14px;color:#5d6675;margin-bottom:8px}
svg.chart{width:100%;height:auto;display:block;font-family:inherit}
table{border-collapse:collapse;width:100%;font-size:13.5px;background:#fff}
.scroll{overflow-x:auto;border:1px solid #e4e7ec;border-radius:10px;margin:8px 0}
th,td{text-align:right;padding:5px 9px;border-bottom:1px solid #eef0f3;white-space:nowrap}
th{color:#5d6675;font-weight:600;background:#fbfbfc}
th:first-child,td:first-child,td.words,th.words{text-align:left}
td.words{white-space:normal}
tr.group td{background:#f6f7f9;font-weight:600}
.ok{color:#0b7a75;font-weight:700}.no{color:#b3261e;font-weight:700}
.note{background:#fff6e0;border:1px solid #f0d48a;border-radius:8px;padding:8px 12px;
margin:0 0 14px;max-width:none}
.red{background:#fdecea;border-color:#f3b8b2}
code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,monospace;font-size:13.5px}
pre{background:#fff;border:1px solid #e4e7ec;border-radius:10px;padding:12px 16px;overflow-x:auto}
.dot{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:6px}
@media(max-width:900px){.cards{grid-template-columns:1fr 1fr}.two,.first{grid-template-columns:1fr}}
"""


def rows_of(table, scenario, mode):
    return [row for row in (table.row(v, mode) for v in table.variants(scenario)) if row]


def pooled_latency(table, scenario, mode):
    return [ns for row in rows_of(table, scenario, mode) for ns in row.audible().latency_ns]


def card(title, big, small):
    return (f'<div class="card"><b>{escape(title)}</b><div class="big">{big}</div>'
            f"<small>{escape(small)}</small></div>")


def change(before, after):
    return f"<s>{escape(before)}</s> <i>→</i> <em>{escape(after)}</em>"


def times(before, after):
    """'12 times shorter', in whole words."""
    if not after:
        return "gone"
    factor = before / after
    if factor >= 1.15:
        return f"{factor:.0f} times shorter" if factor >= 9.5 else f"{factor:.1f} times shorter"
    return "about the same" if factor >= 0.87 else f"{1 / factor:.1f} times longer"


def percent(value, digits=1):
    return f"{100 * value:.{digits}f} %"


def signed_percent(value):
    shown = f"{100 * value:+.1f} %"
    return shown.replace("-", "−")


def cards(table, values):
    """The four things to remember."""
    off, on = (pooled_latency(table, "audio", mode) for mode in ("off", "on"))
    out = []
    if off and on:
        worst_off, worst_on = max(off), max(on)
        out.append(card("Audio wake-up, worst case", change(duration(worst_off),
                                                            duration(worst_on)),
                        f"{times(worst_off, worst_on)}; the worst of {len(on):,}"))
        out.append(missed_card(table))
    if values["burner_work_ratio"] is not None:
        out.append(card("Work its neighbours still do",
                        f"<em>{percent(values['burner_work_ratio'])}</em>",
                        "of what they complete without the library"))
    gain = values["liar_share_excess"]
    if gain is not None:
        out.append(card("CPU time a lying VM wins", liar_change(table, gain),
                        "over its fair share: static priority → the library"))
    return f'<div class="cards">{"".join(out)}</div>'


def missed_card(table):
    off, on = (rows_of(table, "audio", mode) for mode in ("off", "on"))
    missed = [sum(row.audible().misses for row in rows) for rows in (off, on)]
    periods = sum(row.audible().periods for row in on)
    return card("Missed audio deadlines", change(f"{missed[0]:,}", f"{missed[1]:,}"),
                f"of {periods:,} periods; each one is an audible click")


def static_excess(table):
    """What the worst liar wins when static priority believes it."""
    found = [ratio(row.hostile().run_ns, fair_run_ns(row, ref)[row.hostile().name]) - 1
             for row, _, ref in hostile_rows(table, "static-rt")]
    return max(found) if found else None


def liar_change(table, gain):
    static = static_excess(table)
    now = signed_percent(gain)
    if static is None:
        return f"<em>{now}</em>"
    return change(f"{100 * static:+.0f} %", now)


def strips(table, modes=("off", "static-rt", "on")):
    out = []
    for mode in modes:
        values = pooled_latency(table, "audio", mode)
        if values:
            out.append((mode, STRIP_NAMES[mode], values,
                        {"typical": percentile(values, 50),
                         "1 in 100": percentile(values, 99), "worst": max(values)}))
    return out


def share_groups(table):
    """Shares of the CPU beside an honest audio VM: the shortest period."""
    pairs = table.pairs("audio", "on")
    if not pairs:
        return []
    row, base = min(pairs, key=lambda pair: pair[0].variant.get("period_us", 0))
    groups = []
    for vm in list(row.vms.values())[:2]:  # the others are like the second
        note = "sleeps, wakes, plays" if vm.work == "audio" else "computes all the time"
        groups.append((label_of(vm), note, [
            ("off", MODE_NAMES["off"], 100 * base.share(vm.name), None),
            ("on", MODE_NAMES["on"], 100 * row.share(vm.name), None)]))
    return groups


def label_of(vm):
    kinds = {"audio": "Audio VM", "mixed": "Mixed VM", "burn": "Busy VM", "locks": "Lock VM",
             "liar": "Lying VM", "pulse": "Pulsing liar"}
    digits = "".join(c for c in vm.name if c.isdigit())
    number = f" {digits}" if vm.work == "burn" and digits else ""
    return kinds.get(vm.work, vm.name) + number


def liar_groups(table, scenario):
    """Shares beside a hostile VM, static priority and library, against the fair share."""
    found = {mode: [r for r in hostile_rows(table, mode) if r[0].variant.scenario == scenario]
             for mode in ("static-rt", "on")}
    if not found["on"]:
        return []
    row = found["on"][0][0]
    groups = []
    for vm in row.vms.values():
        bars = []
        for mode in ("static-rt", "on"):
            for this, _, ref in found[mode][:1]:
                fair = fair_run_ns(this, ref)
                whole = sum(fair.values())
                bars.append((mode, MODE_NAMES[mode], 100 * ratio(this.vms[vm.name].run_ns, whole),
                             100 * ratio(fair[vm.name], whole)))
        note = {"hostile": "always says: urgent" if scenario == "liar"
                else "claims when it is full"}.get(vm.role)
        groups.append((label_of(vm), note or ("honest, plays" if vm.work == "audio"
                                              else "honest, computes"), bars))
    return groups


def panel(title, words, chart):
    if not chart:
        return ""
    return f'<div class="panel"><h3>{escape(title)}</h3><p>{escape(words)}</p>{chart}</div>'


def first_screen(report, table):
    values = report["figures"]
    wakes = sum(len(row.audible().latency_ns) for row in table.rows.values() if row.audible())
    seeds = len(report["seeds"])
    lead = (f"Three virtual machines share one CPU. One plays audio: every few milliseconds it "
            f"must wake up at once. We measured {wakes:,} wake-ups of real KVM guests on "
            f"{escape(report['environment']['kernel_short'])}, in {seeds} repetitions: without "
            f"help, with a fixed real-time priority, and with libpvsched, where the guest says "
            f"when it is urgent and the host believes it only within a budget.")
    paid = holds("burner_work_ratio", values["burner_work_ratio"])
    won = holds("liar_share_excess", values["liar_share_excess"])
    side = [panel("Nobody else pays" if paid else "What the others pay",
                  "CPU time of each VM, before and after.",
                  svg.bars(share_groups(table), "share of the CPU for each VM", top_value=78)
                  if share_groups(table) else ""),
            panel("Lying wins nothing" if won else "What lying wins",
                  "CPU time beside a VM that claims to be urgent all the time. "
                  "Black ticks: fair shares.",
                  svg.bars(liar_groups(table, "liar")[1:], "shares beside a liar", top_value=128)
                  if liar_groups(table, "liar") else "")]
    charts = [panel("How long the audio VM waits for the CPU",
                    "Every wake-up is in here. Further left is better.",
                    svg.latency_strips(strips(table), "audio wake-up latency by mode")
                    if strips(table) else ""), f'<div class="stack">{"".join(side)}</div>']
    title = "Virtual machines that say when it is urgent" if report["red"] else \
        "A virtual machine that says when it is urgent is served in time"
    return (f"<h1>{title}</h1>"
            f'{notes(report)}<p class="lead">{lead}</p>{cards(table, values)}'
            f'<div class="first">{"".join(charts)}</div>')


def notes(report):
    out = []
    if report["red"]:
        out.append(f'<p class="note red"><b>Not everything holds:</b> '
                   f'{escape("; ".join(report["red"]))}</p>')
    for note in report["notes"]:
        out.append(f'<p class="note">{escape(note)}</p>')
    return "".join(out)


def liar_section(table):
    panels = []
    for scenario, title in (("liar", "A VM that claims to be urgent all the time"),
                            ("pulse", "A VM that claims exactly when its budget is full")):
        groups = liar_groups(table, scenario)
        if groups:
            panels.append(panel(title, "CPU time of each VM. The black tick is its fair share.",
                                svg.bars(groups, title, top_value=135)))
    if not panels:
        return ""
    return ("<h2>What if a guest lies?</h2><p>The library takes a boost out of the guest's own "
            "share: who claims everything wins nothing. A fixed priority believes it, and its "
            f'neighbours starve.</p><div class="two">{"".join(panels)}</div>')


def threshold_rows(judged):
    out = []
    for item in judged:
        mark = {True: '<span class="ok">✓ holds</span>', False: '<span class="no">✗ red</span>',
                None: "for contrast"}[item["pass"]]
        limit = f"{item['relation']} {shown(item['limit'])}" if item["relation"] else \
            f"aim {item['limit']}" if item["limit"] else "–"
        out.append(f"<tr><td><code>{item['name']}</code></td><td class=words>"
                   f"{escape(item['says'])}</td><td><b>{shown(item['value'])}</b></td>"
                   f"<td>{escape(limit)}</td><td>{mark}</td></tr>")
    return "".join(out)


def shown(value):
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


TABLE_KEYS = ("mode_name", "p50", "p99", "worst", "misses", "samples", "work", "shares", "control",
              "boosted", "boosts", "denials", "overruns")


def measurement_table(table_rows):
    head = ("", "p50", "p99", "worst", "misses", "samples", "work", "share per VM, %",
            "control, %", "boosted, %", "boosts", "denials", "overruns")
    out = ["<tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr>"]
    group = None
    for item in table_rows:
        if item["group"] != group:
            group = item["group"]
            out.append(f'<tr class="group"><td colspan="{len(head)}">{escape(group)}</td></tr>')
        cells = [item[key] for key in TABLE_KEYS]
        out.append("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in cells) + "</tr>")
    return f'<div class="scroll"><table>{"".join(out)}</table></div>'


def curves_section(table):
    panels = []
    for variant in table.variants("audio"):
        series = [(mode, STRIP_NAMES[mode][0], table.row(variant, mode).audible().latency_ns)
                  for mode in ("off", "static-rt", "on") if table.row(variant, mode)]
        period = variant.get("period_us", 0) / 1000
        panels.append(panel(f"Audio every {period:.2f} ms",
                            "Share of the wake-ups that were served within a time.",
                            svg.cumulative(series, f"latency, period {period} ms")))
    return (f'<h2>Every period by itself</h2><div class="two">{"".join(panels)}</div>'
            if panels else "")


def reproduce(report):
    env = report["environment"]
    command = "./run demo --quick" if report["quick"] else "./run demo"
    facts = [("Kernel", env["kernel"]), ("Machine", env["machine"]), ("Guests", env["guests"]),
             ("Seeds", ", ".join(map(str, report["seeds"]))), ("Took", env["took"])]
    rows = "".join(f"<tr><td>{escape(k)}</td><td class=words>{escape(str(v))}</td></tr>"
                   for k, v in facts)
    words = ("The same seed gives the same bytes on every machine and under every load; another "
             "seed is an independent repetition. ") if not report["real_time"] else ""
    return (f"<h2>Do it again</h2><pre>{command}</pre><p>{words}All numbers of this page are in "
            f"<code>demo.json</code> beside it. One measurement alone: <code>./run lab audio"
            f"</code>.</p><div class=scroll><table>{rows}</table></div>")


def render(report, table):
    """The whole page, complete in itself."""
    body = "".join([
        first_screen(report, table), liar_section(table),
        "<h2>What must hold</h2><p>Ratios are with / without the library, over all seeds, and "
        "the worst period counts.</p>",
        "<div class=scroll><table><tr><th>figure</th><th class=words>what it is</th>"
        "<th>value</th><th>limit</th><th></th></tr>",
        threshold_rows(report["thresholds"]), "</table></div>",
        curves_section(table),
        "<h2>All measurements</h2><p>Latency is the delay from the guest's timer to its "
        "interrupt handler; a deadline is missed when the work of a period is not complete at "
        "the next one. Control is the CPU time of the thread in which the library runs.</p>",
        measurement_table(report["rows"]), reproduce(report)])
    return ("<!doctype html><html lang=en><head><meta charset=utf-8>"
            '<meta name=viewport content="width=device-width,initial-scale=1">'
            f"<title>libpvsched: demo</title><style>{STYLE}</style></head>"
            f"<body><main>{body}</main></body></html>\n")
