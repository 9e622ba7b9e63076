# SPDX-License-Identifier: BSD-2-Clause
"""From the VMM's report (adapters/kvm/vmm/README.md, schema pvs-vmm/1) to figures."""

from .common import LabError
from .figures import VmTotals, percentile, ratio
from .svg import duration

SCHEMA = "pvs-vmm/1"
MODE_NAMES = {"off": "off", "static-rt": "static RT", "on": "library", "measure": "measure-only"}


# Periods at both ends of the measured interval that may belong to neither side of it.
LOOSE_ENDS = 2


def never_begun(vm, vcpu, measured_ns):
    """Periods of the interval that the guest never got to: whoever starves misses them, too."""
    due = measured_ns // vm["period_ns"] if vm.get("period_ns") else 0
    return max(due - LOOSE_ENDS - vcpu.get("periods", 0), 0)


def vm_totals(vm, role, measured_ns):
    """One VM of a report, its vCPUs added up."""
    total = VmTotals(vm["name"], vm["work"], role)
    for vcpu in vm["vcpus"]:
        lost = never_begun(vm, vcpu, measured_ns)
        total.add(VmTotals(
            "", "", run_ns=vcpu["run_ns"], wait_ns=vcpu["wait_ns"], units=vcpu["work"],
            burned=vcpu.get("burned", 0), periods=vcpu.get("periods", 0) + lost,
            misses=vcpu.get("misses", 0) + lost, latency_ns=vcpu.get("wake_ns", {}).get("raw", []),
            response_ns=vcpu.get("done_ns", {}).get("raw", []), boosts=vcpu.get("boosts", 0),
            denials=vcpu.get("denials", 0), overruns=vcpu.get("overruns", 0),
            malformed=vcpu.get("malformed", 0), boosted_ns=vcpu.get("boosted_ns", 0)))
    return total


def check_report(cell, report):
    """A report that cannot be believed is an error, never a data point."""
    if report.get("schema") != SCHEMA:
        raise LabError(f"cell {cell.name}: unknown report {report.get('schema')}")
    if report["mode"] != cell.mode or report["seed"] != cell.seed:
        raise LabError(f"cell {cell.name}: report of another cell")
    if not report["complete"]:
        raise LabError(f"cell {cell.name}: the measured interval did not end")
    for vm in report["vms"]:
        for vcpu in vm["vcpus"]:
            if vcpu["end"] in ("fault", "error"):
                raise LabError(f"cell {cell.name}: VM {vm['name']} ended with {vcpu['end']} "
                               f"{vcpu['end_detail']}")


def add_report(table, cell, report):
    check_report(cell, report)
    roles = {vm["name"]: vm.get("role", "") for vm in cell.vms}
    table.add(cell.variant, cell.mode, cell.seed, report["measured_ns"],
              [vm_totals(vm, roles[vm["name"]], report["measured_ns"]) for vm in report["vms"]],
              report.get("control", {}).get("cpu_ns", 0))


def summary(row, title):
    """What the printed table and the page say about one row."""
    heard = row.audible()
    latency = heard.latency_ns if heard else []
    quantile = (lambda p: duration(percentile(latency, p))) if latency else (lambda p: "–")
    count = (lambda value: f"{value:,}" if heard else "–")
    return {
        "group": title, "scenario": row.variant.scenario, "variant": dict(row.variant.axis),
        "mode": row.mode, "mode_name": MODE_NAMES[row.mode], "seeds": row.seeds,
        "p50": quantile(50), "p99": quantile(99), "worst": quantile(100),
        "p50_ns": percentile(latency, 50), "p99_ns": percentile(latency, 99),
        "worst_ns": max(latency, default=0),
        "misses": count(heard.misses if heard else 0), "samples": count(len(latency)),
        "work": f"{sum(vm.units + vm.burned for vm in row.vms.values()):,}",
        "shares": " ".join(f"{100 * row.share(name):.1f}" for name in row.vms),
        "boosts": f"{sum(vm.boosts for vm in row.vms.values()):,}",
        "denials": f"{sum(vm.denials for vm in row.vms.values()):,}",
        "overruns": f"{sum(vm.overruns for vm in row.vms.values()):,}",
        "boosted": f"{boosted_percent(row):.1f}",
        "control": f"{100 * ratio(row.control_ns, row.window_ns):.1f}",
        "vms": {vm.name: {"work": vm.work, "role": vm.role, "run_ns": vm.run_ns,
                          "wait_ns": vm.wait_ns, "units": vm.units, "burned": vm.burned,
                          "periods": vm.periods, "misses": vm.misses, "boosts": vm.boosts,
                          "denials": vm.denials, "overruns": vm.overruns,
                          "malformed": vm.malformed, "boosted_ns": vm.boosted_ns,
                          "share": round(row.share(vm.name), 5)} for vm in row.vms.values()},
        "window_ns": row.window_ns,
    }


def boosted_percent(row):
    """How much of the CPU was charged as boosted."""
    return 100 * ratio(sum(vm.boosted_ns for vm in row.vms.values()), row.window_ns)


def summaries(table, scenarios):
    """Rows in the order of the scenarios, one group for each variant."""
    out = []
    for scenario in scenarios:
        for variant in table.variants(scenario.name):
            title = scenario.title + group_suffix(variant)
            for mode in scenario.modes:
                row = table.row(variant, mode)
                if row:
                    out.append(summary(row, title))
    return out


def group_suffix(variant):
    parts = []
    for name, value in variant.axis:
        if name == "period_us":
            parts.append(f"every {value / 1000:g} ms")
        elif name == "hostile":
            parts.append("that VM tells the truth" if value == "burn" else "that VM lies")
        elif name == "spin_us":
            parts.append(f"waiters halt after {value} µs" if value else "waiters spin for ever")
        else:
            parts.append(f"{name} {value}")
    return f" ({', '.join(parts)})" if parts else ""


COLUMNS = (("mode_name", "mode", 13), ("p50", "p50", 9), ("p99", "p99", 9),
           ("worst", "worst", 9), ("misses", "misses", 7), ("samples", "samples", 8),
           ("work", "work", 11),
           ("control", "control %", 10), ("boosted", "boosted %", 10),
           ("boosts", "boosts", 8), ("denials", "denials", 8),
           ("overruns", "overruns", 9), ("shares", "share per VM, %", 18))


def text_table(rows):
    """The table as it is printed."""
    head = "".join(f"{title:<13}" if key == "mode_name" else f"{title:>{width}}"
                   for key, title, width in COLUMNS)
    out = [head]
    group = None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            out += ["", group]
        out.append("".join(f"  {row[key]:<11}" if key == "mode_name" else f"{row[key]:>{width}}"
                           for key, _, width in COLUMNS))
    return "\n".join(out)
