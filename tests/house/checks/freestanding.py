#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The engine and the portable shim compile for every place they are meant to run in.

Each flavour compiles all files without a warning and without any system header; where the machine's
own binutils can read the result, what it needs from outside is at most four functions, it has no
writable data, and sizes stay inside the budgets of the design. --flavours REGEX tries only some.
"""
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import house

ALLOWED_UNDEFINED = {"memcpy", "memset", "memmove", "memcmp"}
TEXT_BUDGET = 16 * 1024  # bytes of text and read-only data, gcc -Os; others: ./run bench
FRAME_BUDGET = 512       # bytes of stack of one function, optimised
STATE_BUDGET = 512       # bytes of struct pvs_vcpu

COMMON = ["-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement", "-Wvla",
          "-ffreestanding", "-nostdinc"]
KERNEL = ["-std=gnu11", "-O2", "-fno-builtin", "-fno-strict-aliasing", "-fno-common", "-fno-pic",
          "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-mno-red-zone", "-mno-sse",
          "-mno-mmx", "-mno-80387", "-mgeneral-regs-only", "-mcmodel=kernel",
          f"-Wframe-larger-than={FRAME_BUDGET}"]
XEN = ["-std=gnu99", "-O2", "-fno-builtin", "-Wredundant-decls", "-Wwrite-strings",
       "-Wnested-externs", "-Wstrict-prototypes", "-Wno-unused-parameter", "-mno-sse", "-mno-mmx",
       "-msoft-float", "-mno-red-zone", "-fpic", "-fcf-protection=branch", "-fno-stack-protector",
       "-fno-strict-aliasing"]
BPF = ["--target=bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11", "-fno-builtin", "-Wall", "-Wextra",
       "-Werror", "-nostdinc"]
# A copy whose source is a global, in the compiler's intermediate language.
CONSTANT_COPY = re.compile(r"^.*@llvm\.memcpy\.[^,]*,[^@\n]*@[\w.]+", re.MULTILINE)


def flavours():
    """(name, compiler, flags, native) of each."""
    for compiler in ("gcc", "clang"):
        for level in ("-O0", "-O1", "-O2", "-O3", "-Os"):
            yield (f"{compiler} {level}", compiler,
                   ["-std=c11", "-Wpedantic", level, "-fno-stack-protector", *COMMON], True)
        yield f"{compiler} kernel", compiler, KERNEL + COMMON, True
    yield "gcc xen", "gcc", XEN + ["-mmanual-endbr"] + COMMON, True
    for target in ("aarch64-linux-gnu", "riscv64-linux-gnu", "s390x-linux-gnu", "i386-linux-gnu"):
        yield (f"clang {target}", "clang",
               [f"--target={target}", "-std=c11", "-O2", "-Wpedantic", *COMMON], False)


def compile_all(name, compiler, flags, sources, include, directory):
    """Objects of one flavour; raises RuntimeError with the compiler's words."""
    place = Path(directory) / re.sub(r"\W+", "-", name)
    place.mkdir()
    status, output = house.run([compiler, *flags, *include, "-c", *sources], cwd=place)
    if status:
        raise RuntimeError(f"{name}: does not compile\n{output}")
    return sorted(place.glob("*.o"))


def linked(objects):
    """One relocatable object of all, so that only what is outside stays undefined."""
    whole = objects[0].parent / "whole.o"
    status, output = house.run(["ld", "-r", "-o", whole, *objects])
    if status:
        raise RuntimeError(output)
    return whole


def section_sizes(whole):
    """Section name -> bytes."""
    _, output = house.run(["size", "-A", whole])
    return {row[0]: int(row[1]) for row in map(str.split, output.splitlines())
            if len(row) == 3 and row[1].isdigit() and row[0].startswith(".")}


def object_problems(name, whole):
    """Undefined symbols, writable data and size of one linked flavour."""
    _, output = house.run(["nm", "-u", whole])
    undefined = {line.split()[-1] for line in output.splitlines()} - {"_GLOBAL_OFFSET_TABLE_"}
    for symbol in sorted(undefined - ALLOWED_UNDEFINED):
        yield f"{name}: needs {symbol} from outside"
    sizes = section_sizes(whole)
    for section, size in sizes.items():
        if size and re.match(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)", section):
            yield f"{name}: {size} bytes of writable data in {section}"
    text = sum(size for section, size in sizes.items() if re.match(r"\.(text|rodata)", section))
    if name.endswith("gcc -Os") and text > TEXT_BUDGET:
        yield f"{name}: {text} bytes of text, more than {TEXT_BUDGET}"


def check(part, flavour, sources, include, directory):
    """Problems of one part (engine or shim) in one flavour."""
    name, compiler, flags, native = flavour
    name = f"{part}: {name}"
    try:
        objects = compile_all(name, compiler, flags, sources, include, directory)
        return list(object_problems(name, linked(objects))) if native else []
    except RuntimeError as error:
        return [str(error)]


def check_bpf(root, include, directory):
    """The one-file build of the engine as BPF, and how large one vCPU is."""
    unity = root / "libpvsched/src/unity.c"
    if not unity.exists():
        return ["libpvsched/src/unity.c is missing"]
    # Functions that nobody calls are compiled too.
    compiler = ["clang", *BPF, "-Dunused=used", *include, unity]
    status, output = house.run([*compiler, "-c", "-o", Path(directory) / "unity.bpf.o"])
    if status:
        return [f"bpf: does not compile\n{output}"]
    _, output = house.run([*compiler, "-S", "-emit-llvm", "-o", "-"])
    return [f"bpf: copies a constant without PVS_COPY (port.h says what for): {found.strip()}"
            for found in CONSTANT_COPY.findall(output)]


def check_state(include, directory):
    """The state of one vCPU stays inside its budget."""
    source = Path(directory) / "state.c"
    source.write_text("#include <pvs/pvs.h>\n"
                      f"_Static_assert(sizeof(struct pvs_vcpu) <= {STATE_BUDGET}, \"state\");\n")
    status, output = house.run(["gcc", "-std=c11", *include, "-fsyntax-only", source])
    return [f"struct pvs_vcpu is larger than {STATE_BUDGET} bytes\n{output}"] if status else []


def main():
    args = house.arguments(flavours=str)
    root = args.root.resolve()
    wanted = [one for one in flavours() if re.search(args.flavours or "", one[0])]
    include = [f"-I{root / layer / 'include'}" for layer in ("abi", "libpvsched", "guest-shim")]
    parts = (("engine", house.listed_sources(root, "libpvsched", "PVS_CORE_FILES")),
             ("shim", house.listed_sources(root, "guest-shim", "PVS_GUEST_FILES")))
    problems = [f"{part}: no sources" for part, sources in parts if not sources]
    with tempfile.TemporaryDirectory() as directory, \
            ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(check, part, flavour, sources, include, directory)
                for part, sources in parts if sources for flavour in wanted]
        runs.append(pool.submit(check_bpf, root, include, directory))
        runs.append(pool.submit(check_state, include, directory))
        for one in runs:
            problems += one.result()
    house.finish(problems, f"{len(runs)} flavours compile, need nothing and keep no state")


main()
