# SPDX-License-Identifier: BSD-2-Clause
"""The implementation under test: a process that is told op lines and answers result lines."""
import os
import selectors
import signal
import subprocess
import tempfile
import time

# Not an op: whoever answers in step says so (V-1.5 of vectors.md).
BARRIER = "barrier"
BARRIER_ANSWERS = ("syntax", "unsupported")
OUT_OF_STEP = "out of step"
LONGEST = 4096


class Broken(Exception):
    """The implementation does not keep to the protocol."""


class Peer:
    """Starts the command when it is needed, and again when it has failed."""

    def __init__(self, command, environment=None):
        self.command, self.environment = command, environment
        self.process = self.errors = None
        self.buffer = b""
        self.starts = 0

    def start(self):
        """A new process, in a session of its own, so that all of it can be ended."""
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                env=self.environment, start_new_session=True, bufsize=0)
        except OSError as error:
            raise Broken(f"cannot start {self.command[0]}: {error.strerror}") from None
        os.set_blocking(self.process.stdin.fileno(), False)
        self.buffer = b""
        self.starts += 1

    def stop(self):
        """Ends the process, however it is."""
        if not self.process:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        self.process.wait()
        self.process = None
        self.errors.close()

    def last_words(self):
        """The end of what it has written to stderr."""
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(self.errors.tell() - 2000, 0))
        return self.errors.read().decode(errors="replace").strip()

    def how_it_ended(self):
        """Of a process whose output is at its end."""
        try:
            status = self.process.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        words = self.last_words()
        return f"it ended with {how}" + (f": {words[-300:]}" if words else "")

    def take_lines(self, lines, wanted):
        """Moves whole lines from the buffer to `lines`."""
        while len(lines) < wanted and b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            lines.append(line.decode("ascii", errors="replace").strip())
        if len(self.buffer) > LONGEST and len(lines) < wanted:
            raise Broken(f"a line longer than {LONGEST} bytes")

    def exchange(self, text, lines, wanted, deadline):
        """Writes `text` and reads `wanted` lines, both as far as the other side lets us."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            if text:
                ready.register(self.process.stdin, selectors.EVENT_WRITE)
            self.take_lines(lines, wanted)
            while len(lines) < wanted:
                events = ready.select(max(deadline - time.monotonic(), 0))
                if not events:
                    raise Broken("no answer in time")
                for key, _ in events:
                    if key.fileobj is self.process.stdin:
                        text = self.write_some(text)
                        if not text:
                            ready.unregister(self.process.stdin)
                        continue
                    part = os.read(self.process.stdout.fileno(), 65536)
                    if not part:
                        raise Broken(self.how_it_ended())
                    self.buffer += part
                    self.take_lines(lines, wanted)

    def write_some(self, text):
        """What is left of it."""
        try:
            return text[os.write(self.process.stdin.fileno(), text):]
        except BlockingIOError:
            return text
        except BrokenPipeError:
            raise Broken(self.how_it_ended()) from None

    def ask(self, ops, timeout_s):
        """The answers to these op lines (`vector` lines have none), and what went wrong or ""."""
        lines = []
        wanted = sum(not op.startswith("vector ") for op in ops) + 1
        text = "".join(op + "\n" for op in (*ops, BARRIER)).encode()
        try:
            if not self.process:
                self.start()
            self.exchange(text, lines, wanted, time.monotonic() + timeout_s)
            last = lines.pop()
            if last.split()[:1] not in [[word] for word in BARRIER_ANSWERS] or self.buffer:
                raise Broken(f"{OUT_OF_STEP}: '{BARRIER}' is no op, so the answer is 'syntax', "
                             f"not '{last[:80]}'")
        except Broken as error:
            self.stop()
            return lines, str(error)
        return lines, ""
