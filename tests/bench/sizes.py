# SPDX-License-Identifier: BSD-2-Clause
"""What the engine takes: code, constants, writable data, stack, and the state of what it manages.

Compiled here, as hosts compile it: freestanding, each stage a file (or all as one unit).
"""
import os
import re
import struct
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = [f"-I{ROOT / 'abi/include'}", f"-I{ROOT / 'libpvsched/include'}"]
C11 = ["-std=c11", "-ffreestanding", "-fno-stack-protector"]
COMPILERS = {
    "x86-64": "gcc",
    "i386": "i686-linux-gnu-gcc",
    "aarch64": "aarch64-linux-gnu-gcc",
    "riscv64": "riscv64-linux-gnu-gcc",
    "s390x": "s390x-linux-gnu-gcc",
}
# Functions that nobody calls are compiled too.
BPF = ["clang", "--target=bpf", "-mcpu=v3", "-O2", "-std=gnu11", "-fno-builtin", "-Dunused=used"]
STATES = ("pvs_vcpu", "pvs_vm", "pvs_config", "pvs_io", "pvs_saved", "pvs_yield", "pvs_yield_ask",
          "pvs_yield_choice", "pvs_perf_domain", "pvs_perf_member", "pvs_queue", "pvs_entity")

SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4  # ELF gABI, sh_flags
TABLES = re.compile(r"\.(eh_frame|note|BTF|riscv|ARM)")  # for debuggers and loaders: not counted
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"\\]+)\\n([^"\\]+)\\n(\d+) bytes')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


def stages():
    """The engine's files, from the list that all builds use."""
    text = (ROOT / "libpvsched/sources.cmake").read_text()
    return [ROOT / "libpvsched" / name for name in re.findall(r"^\s+(src/\S+\.c)$", text, re.M)]


def unity():
    return [ROOT / "libpvsched/src/unity.c"]


def compile_into(place, command, sources):
    """Objects (and what else the flags ask for) of these sources in a directory of their own."""
    place.mkdir(parents=True)
    subprocess.run([*command, *INCLUDE, "-c", *sources], cwd=place, check=True)
    return sorted(place.glob("*.o"))


def sections(path):
    """(name, flags, bytes) of each section of an ELF object, either class, either byte order."""
    data = path.read_bytes()
    order = "<" if data[5] == 1 else ">"
    if data[4] == 2:
        at, entry, count, names = (*struct.unpack_from(order + "Q", data, 40),
                                   *struct.unpack_from(order + "HHH", data, 58))
        header, fields = order + "IIQQQQ", (0, 2, 4, 5)
    else:
        at, entry, count, names = (*struct.unpack_from(order + "I", data, 32),
                                   *struct.unpack_from(order + "HHH", data, 46))
        header, fields = order + "IIIIII", (0, 2, 4, 5)
    rows = []
    for number in range(count):
        row = struct.unpack_from(header, data, at + number * entry)
        rows.append([row[field] for field in fields])
    strings = rows[names][2]
    for name, flags, _, size in rows:
        end = data.index(b"\0", strings + name)
        yield data[strings + name:end].decode(), flags, size


def linked(compiler, objects):
    """One relocatable object of all: equal strings are one."""
    whole = objects[0].parent / "whole"
    subprocess.run([compiler, "-r", "-nostdlib", "-o", whole, *objects], check=True)
    return whole


def sizes_of(path):
    """Bytes of code, constants, constants with addresses in them, and writable data."""
    sizes = {"code": 0, "constants": 0, "relocated": 0, "data": 0}
    for name, flags, size in sections(path):
        if not flags & SHF_ALLOC or TABLES.match(name):
            continue
        if flags & SHF_EXEC:
            sizes["code"] += size
        elif name.startswith(".data.rel.ro"):
            sizes["relocated"] += size
        else:
            sizes["data" if flags & SHF_WRITE else "constants"] += size
    sizes["text"] = sizes["code"] + sizes["constants"]
    return sizes


def code(directory):
    """A row for each architecture and way to compile it."""
    rows = []
    for name, compiler in COMPILERS.items():
        for level in ("-Os", "-O2"):
            objects = compile_into(directory / f"{name}{level}", [compiler, *C11, level], stages())
            rows.append({"for": name, "compiler": f"gcc {level}",
                         **sizes_of(linked(compiler, objects))})
    objects = compile_into(directory / "unity",
                           ["gcc", *C11, "-O2", "-DPVS_UNITY_EXPORTED"], unity())
    rows.append({"for": "x86-64", "compiler": "gcc -O2, one unit", **sizes_of(objects[0])})
    objects = compile_into(directory / "bpf", BPF, unity())
    rows.append({"for": "BPF", "compiler": "clang -O2, one unit", **sizes_of(objects[0])})
    return rows


class CallGraph:
    """Frames and calls, from what gcc writes beside its objects (-fcallgraph-info=su)."""

    def __init__(self, paths):
        self.frame, self.label, self.calls = {}, {}, defaultdict(set)
        for path in paths:
            text = path.read_text()
            for title, label, place, size in NODE.findall(text):
                self.frame[title] = int(size)
                self.label[title] = (label, place.split(":")[0])
            for caller, callee in EDGE.findall(text):
                self.calls[caller].add(callee)
        self.deepest = cache(self._deepest)

    def _deepest(self, title):
        """(bytes, functions) of the chain of calls from here that takes most."""
        below = max((self.deepest(callee) for callee in self.calls[title]), default=(0, ()))
        own = self.label.get(title, (title, ""))[0]
        return self.frame.get(title, 0) + below[0], (own, *below[1])

    def unknown(self):
        """Functions that are called and are not in the graph, of whose stack nothing is known."""
        return sorted({callee for callees in self.calls.values() for callee in callees}
                      - self.frame.keys())


def stack(directory, name, flags, sources):
    """Each function's frame and deepest chain, the deepest first."""
    compile_into(directory / name, ["gcc", *C11, *flags, "-fcallgraph-info=su"], sources)
    graph = CallGraph(sorted((directory / name).glob("*.ci")))
    rows = [{"function": graph.label[title][0],
             "file": os.path.basename(graph.label[title][1]),
             "frame": graph.frame[title], "chain": graph.deepest(title)[0],
             "through": list(graph.deepest(title)[1][1:])} for title in graph.frame]
    rows.sort(key=lambda row: (-row["chain"], row["function"]))
    return {"how": name, "outside": graph.unknown(), "functions": rows}


def stacks(directory):
    return [stack(directory, "gcc -Os", ["-Os"], stages()),
            stack(directory, "gcc -O2", ["-O2"], stages()),
            stack(directory, "gcc -O2, one unit", ["-O2", "-DPVS_UNITY_EXPORTED"], unity())]


def states(directory):
    """sizeof of what hosts have to keep."""
    source = directory / "sizeof.c"
    lines = [f'printf("{name} %zu\\n", sizeof(struct {name}));' for name in STATES]
    source.write_text("#include <stdio.h>\n#include <pvs/pvs.h>\n#include <pvs/perf.h>\n"
                      "#include <pvs/queue.h>\n#include <pvs/yield.h>\n"
                      "int main(void)\n{\n" + "\n".join(lines) + "\nreturn 0;\n}\n")
    program = directory / "sizeof"
    subprocess.run(["gcc", "-std=c11", *INCLUDE, source, "-o", program], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {name: int(size) for name, size in map(str.split, said.splitlines())}
