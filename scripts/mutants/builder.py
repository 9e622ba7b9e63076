# SPDX-License-Identifier: BSD-2-Clause
"""Builds the tests once, and mutants of one file fast.

The tests are built by CMake as always, then linked against shared libraries of core and shim whose
functions can all be replaced. A mutant of a source is one small library that is loaded before
them: one compilation, no linking of tests. Tests that compile the source themselves, or that
include a changed header, are compiled and linked again.
"""
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

# Everything replaceable, uninitialised variables the same each time, nothing else unusual.
FLAGS = ["-O1", "-DPVS_STAGE=", "-DPVS_API=", "-fvisibility=default", "-fPIC",
         "-ftrivial-auto-var-init=pattern"]
# What a compiler would not let pass, whatever the warnings of a project.
REFUSED = ["-Werror=return-type", "-Werror=int-conversion", "-Werror=implicit-function-declaration",
           "-Werror=incompatible-pointer-types", "-Werror=uninitialized", "-Werror=div-by-zero",
           "-Werror=shift-count-overflow"]
LIBRARIES = {"libpvsched/libpvsched.a": "core", "guest-shim/libpvsched_guest.a": "guest"}
TREES = ("abi", "libpvsched", "guest-shim")
INCLUDES = ("abi/include", "libpvsched/include", "guest-shim/include")
# Not the tests with threads: what those find depends on luck, and takes time.
TESTS = ("tests/unit/core", "tests/unit/guest", "tests/unit/mutants", "tests/conformance")
WANTED_LABELS = {"unit", "abi", "conformance"}
UNWANTED_LABELS = {"lab", "long", "house", "machines"}
CPU_TIMES = 20          # a test may take this many times what it takes without a mutant ...
CPU_LEAST_S = 2         # ... but at least this: the limit counts whole seconds
WALL_TIMES = 10
MEMORY_BYTES = 4 << 30


@dataclass
class Program:
    """One test of ctest that is a program of this build."""
    name: str
    command: list
    link: list = field(default_factory=list)
    libraries: set = field(default_factory=set)
    objects: list = field(default_factory=list)
    cpu_s: float = 0.0


class BuildError(Exception):
    """Without mutants already, something does not build or pass."""


def run(command, **options):
    """Output of a command that has to succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def copy_trees(root, place):
    """What can be mutated, and what it includes."""
    shutil.rmtree(place, ignore_errors=True)
    for tree in TREES:
        shutil.copytree(root / tree, place / tree,
                        ignore=shutil.ignore_patterns("golden", "vectors", "spec"))


def code_of(library):
    """The bytes of code and constants of a library."""
    output = library.with_suffix(".bin")
    run(["objcopy", "-O", "binary", "-j", ".text*", "-j", ".rodata*", "-j", ".data*", library,
         output])
    return output.read_bytes() if output.exists() else b""


class Build:
    """The tests of a tree, ready to run with mutants."""

    def __init__(self, root, place, jobs):
        self.root = root
        self.place = place
        self.snapshot = place / "snapshot"  # what is mutated, as it was when the run began
        self.jobs = jobs
        self.build = place / "cmake"
        self.plain = {}     # objects -> code of the library of them without a mutant
        self.compile = {}   # object -> its command
        self.reads = {}     # object -> files of TREES it was made from
        self.programs = []

    def prepare(self):
        """Configures, builds, links for replacement, and sees every test pass."""
        copy_trees(self.root, self.snapshot)
        run(["cmake", "-S", self.root, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None",
             "-DCMAKE_C_COMPILER=gcc", "-DPVS_BUILD_TESTS=ON", "-DPVS_BUILD_TOOLS=OFF",
             "-DCMAKE_C_FLAGS=-O1 -DPVS_STAGE= -DPVS_API="])
        self.programs = self._find_programs()
        targets = sorted({self._relative(program.command[0]) for program in self.programs})
        run(["ninja", "-C", self.build, f"-j{self.jobs}", *targets])
        self._read_commands(targets)
        self._link_libraries()
        for program in self.programs:
            self._link(program, self.place / "programs" / program.name)
        self.programs += self._vectors()
        for program in self.programs:
            self._time(program)

    def _relative(self, path):
        return os.path.relpath(path, self.build)

    def _find_programs(self):
        """Tests of core, shim and conformance that are programs of this build."""
        shown = json.loads(run(["ctest", "--test-dir", self.build, "--show-only=json-v1"]))
        labels = {test["name"]: next((p["value"] for p in test.get("properties", [])
                                      if p["name"] == "LABELS"), []) for test in shown["tests"]}
        found = []
        for directory in TESTS:
            for path in sorted((self.build / directory).rglob("CTestTestfile.cmake")):
                found += self._programs_of(path, labels)
        return found

    def _programs_of(self, path, labels):
        for line in re.findall(r"^add_test\((.*)\)$", path.read_text(), re.MULTILINE):
            words = [a or b or c for a, b, c in
                     re.findall(r'\[=*\[(.*?)\]=*\]|"([^"]*)"|([^\s"]+)', line)]
            name, command = words[0], words[1:]
            has = set(labels.get(name, []))
            # Vectors all at once would be the same again as file by file: see _vectors().
            if has & WANTED_LABELS and not has & UNWANTED_LABELS and \
                    Path(command[0]).is_relative_to(self.build) and \
                    not any(word.endswith(".vec") for word in command):
                yield Program(name, command)

    def _read_commands(self, targets):
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            self.compile[words[words.index("-o") + 1]] = words
        for block in run(["ninja", "-C", self.build, "-t", "deps"]).split("\n\n"):
            lines = block.strip().splitlines()
            if lines and "deps mtime" in lines[0]:
                self.reads[lines[0].split(":")[0]] = self._in_trees(lines[1:])
        for target in targets:
            line = run(["ninja", "-C", self.build, "-t", "commands", target]).splitlines()[-1]
            words = [word for word in shlex.split(line) if word not in (":", "&&")]
            for program in self.programs:
                if self._relative(program.command[0]) == target:
                    self._take_link(program, words)

    def _in_trees(self, lines):
        """Paths, relative to the root, of those files that can be mutated."""
        found = set()
        for line in lines:
            path = os.path.normpath(self.build / line.strip())
            relative = os.path.relpath(path, self.root)
            if relative.split("/")[0] in TREES:
                found.add(relative)
        return found

    def _take_link(self, program, words):
        program.link = []
        for word in words:
            if word in LIBRARIES:
                program.libraries.add(LIBRARIES[word])
                word = str(self.place / f"lib{LIBRARIES[word]}.so")
            elif word.endswith(".o"):
                program.objects.append(word)
            program.link.append(word)
        program.link.append(f"-Wl,-rpath,{self.place}")

    def _library_objects(self, library):
        prefix = {"core": "libpvsched/CMakeFiles/pvsched_core.dir/",
                  "guest": "guest-shim/CMakeFiles/pvsched_guest.dir/"}[library]
        return [name for name in self.compile if name.startswith(prefix)]

    def _link_libraries(self):
        for library in LIBRARIES.values():
            self.compile_library(self._library_objects(library), self.snapshot,
                                 self.place / f"lib{library}.so")

    def _vectors(self):
        """A test for each file of vectors: the replayer, linked as the tests are."""
        replay = self.root / "tests/conformance/replay"
        sources = [replay / name for name in (replay / "replay.list").read_text().split("\n")
                   if name and not name.startswith("#")]
        libraries = [self.place / f"lib{library}.so" for library in LIBRARIES.values()]
        program = self.place / "programs/replay"
        run(["gcc", "-std=c11", *FLAGS, *(f"-I{self.root / name}" for name in INCLUDES), *sources,
             replay / "main.c", *libraries, f"-Wl,-rpath,{self.place}", "-o", program])
        for path in sorted((self.root / "abi/vectors").glob("*.vec")):
            name = f"vectors/{path.stem}"
            executable = self.place / "programs" / name
            executable.parent.mkdir(exist_ok=True)
            shutil.copy(program, executable)
            yield Program(name, [str(program), "-q", str(path)],
                          libraries=set(LIBRARIES.values()))

    def compile_library(self, objects, tree, output):
        """The sources of these objects, from `tree`, as one shared library."""
        words = self._words(objects[0], tree)
        sources = [self._source(name, tree) for name in objects]
        run([*words, *sources, "-shared", "-o", output], cwd=self.build)

    def plain_code(self, objects):
        """The code of the library of these objects, from the tree as it is."""
        key = tuple(objects)
        if key not in self.plain:
            output = self.place / f"plain{len(self.plain)}-{threading.get_ident()}.so"
            self.compile_library(objects, self.snapshot, output)
            self.plain[key] = code_of(output)
        return self.plain[key]

    def _words(self, name, tree):
        """The command of an object without its input and output, reading `tree`."""
        words = list(self.compile[name])
        for option, count in (("-o", 2), ("-c", 2)):
            at = words.index(option)
            del words[at:at + count]
        return [self._moved(word, tree) for word in words] + FLAGS + REFUSED

    def _source(self, name, tree):
        words = self.compile[name]
        return self._moved(words[words.index("-c") + 1], tree)

    def _moved(self, word, tree):
        """A path into one of TREES, in the tree that is to be read."""
        for part in TREES:
            word = word.replace(f"{self.root}/{part}/", f"{tree}/{part}/")
        return word

    def compile_object(self, name, tree, output):
        """One object of a test, from `tree`. Without the flags that make everything replaceable:
        a test that compiles a source in means that one."""
        words = [word for word in self._words(name, tree) if word not in FLAGS[2:4]]
        run([*words, "-c", self._source(name, tree), "-o", output], cwd=self.build)

    def _link(self, program, output, replaced=None):
        words = [str((replaced or {}).get(word, word)) for word in program.link]
        words[words.index("-o") + 1] = str(output)
        output.parent.mkdir(parents=True, exist_ok=True)
        run(words, cwd=self.build)
        return output

    def _time(self, program):
        """What the test takes by itself; it has to pass, twice."""
        for _ in range(2):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not self.passes(program, self.place / "programs" / program.name):
                raise BuildError(f"{program.name} fails without any mutant")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            program.cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def passes(self, program, executable, preload=()):
        """Runs a test: True when it passes within its limits of CPU time and memory."""
        limit = max(CPU_LEAST_S, int(program.cpu_s * CPU_TIMES) + 1) if program.cpu_s else 60
        environment = dict(os.environ, LD_PRELOAD=" ".join(map(str, preload)))
        if not preload:
            del environment["LD_PRELOAD"]
        with subprocess.Popen([str(executable), *program.command[1:]], env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True,
                              cwd=Path(program.command[0]).parent) as child:
            try:
                resource.prlimit(child.pid, resource.RLIMIT_CPU, (limit, limit))
                resource.prlimit(child.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
                return child.wait(timeout=limit * WALL_TIMES) == 0
            except ProcessLookupError:
                return child.wait() == 0
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                return False


class Bench:
    """The place of one worker: a copy of the trees, one file of which is changed at a time."""

    def __init__(self, build, number):
        self.build = build
        self.place = build.place / f"worker{number}"
        copy_trees(build.snapshot, self.place)

    def mutate(self, path, text):
        """Puts a text in the place of a file; what it was comes back with the next call."""
        (self.place / path).write_text(text)

    def restore(self, path):
        """The file as it was when the run began."""
        shutil.copy(self.build.snapshot / path, self.place / path)

    def libraries(self, path):
        """Objects of each library that are made from the file."""
        return {library: objects for library in LIBRARIES.values()
                if (objects := [name for name in self.build._library_objects(library)
                                if path in self.build.reads.get(name, ())])}

    def preload(self, path):
        """(The mutants of libraries, is their code what it was?); raises BuildError when they do
        not compile."""
        made, same = [], True
        for library, objects in self.libraries(path).items():
            output = self.place / f"mutant-{library}.so"
            self.build.compile_library(objects, self.place, output)
            same = same and code_of(output) == self.build.plain_code(objects)
            made.append(output)
        return made, same

    def own(self, program, path):
        """The objects of a test itself that are made from the file."""
        return [name for name in program.objects if path in self.build.reads.get(name, ())]

    def executable(self, program, path):
        """The test: as it is, or linked anew when it is itself made from the file."""
        own = self.own(program, path)
        if not own:
            return self.build.place / "programs" / program.name
        replaced = {}
        for number, name in enumerate(own):
            replaced[name] = self.place / f"own{number}.o"
            self.build.compile_object(name, self.place, replaced[name])
        return self.build._link(program, self.place / "test", replaced)

    def concerned(self, path):
        """The tests that can notice a change of the file."""
        libraries = set(self.libraries(path))
        return [program for program in self.build.programs
                if program.libraries & libraries or self.own(program, path)]
