# SPDX-License-Identifier: BSD-2-Clause
"""A small tokenizer for the C of this project: enough to change one thing at a time.

It knows comments, literals, preprocessor lines and what surrounds a token. It does not know types;
a change that makes no sense does not compile, and then it does not count.
"""
import bisect
import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
    (?P<space>[ \t\r\n\f]+|\\\n)
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\])*")
  | (?P<char>'(?:\\.|[^'\\])*')
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[0-9A-Za-z_.])*)
  | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<punct>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&^|]=|\#\#|.)
""", re.VERBOSE | re.DOTALL)

OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = {")", "]", "}"}


@dataclass
class Token:
    """One token that means something. `body`: it is in the body of a #define."""
    kind: str
    text: str
    start: int
    end: int
    body: bool = False


class Source:
    """The tokens of one file, without white space, comments and preprocessor lines that are no
    #define, with the partner of each bracket and the depth of braces around each token."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.tokens = list(significant(text))
        self.partner = {}
        self.depth = []  # braces around a token; those of a struct or a table do not count
        self._lines = [0] + [match.end() for match in re.finditer("\n", text)]
        self._match_brackets()

    def functions(self):
        """(start, end, name) of each function, as offsets."""
        for index, token in enumerate(self.tokens):
            before = self.tokens[index - 1] if index else None
            if token.text != "{" or self.depth[index] or not before or before.text != ")":
                continue
            name = self.tokens[self.partner[index - 1] - 1].text
            yield token.start, self.tokens[self.partner[index]].end, name

    def line_of(self, offset):
        """Line number, from 1."""
        return bisect.bisect_right(self._lines, offset)

    def _match_brackets(self):
        stack = []
        for index, token in enumerate(self.tokens):
            code = sum(1 for opened in stack if self._opens_code(opened))
            self.depth.append(code)
            if token.kind != "punct":
                continue
            if token.text in OPENING:
                stack.append(index)
            elif token.text in CLOSING and stack:
                opened = stack.pop()
                self.partner[opened] = index
                self.partner[index] = opened

    def _opens_code(self, index):
        """A brace that begins statements: it comes behind `)`, `else`, `do`, or in code."""
        if self.tokens[index].text != "{" or index == 0:
            return False
        before = self.tokens[index - 1].text
        return before in (")", "else", "do", "{", "}", ";", ":")


def significant(text):
    """Tokens of code, and of the bodies of #define."""
    at = 0
    line_start = True
    while at < len(text):
        match = TOKEN.match(text, at)
        kind = match.lastgroup
        if kind == "punct" and match.group() == "#" and line_start:
            end = logical_line_end(text, at)
            yield from define_body(text, at, end)
            at = end
            continue
        if kind == "space":
            line_start = line_start or "\n" in match.group()
        elif kind != "comment":
            line_start = False
            yield Token(kind, match.group(), match.start(), match.end())
        at = match.end()


def logical_line_end(text, at):
    """End of a preprocessor line with its continuations; comments may reach over its end."""
    while True:
        match = re.compile(r"/\*.*?\*/|\\\n|\n|[^\n\\/]+|.", re.DOTALL).match(text, at)
        if not match:
            return len(text)
        at = match.end()
        if match.group() == "\n":
            return at


DEFINE = re.compile(r"#[ \t]*define[ \t]+[A-Za-z_]\w*(\([^)]*\))?")


def define_body(text, start, end):
    """Tokens of what a macro stands for; nothing for other preprocessor lines."""
    match = DEFINE.match(text, start, end)
    at = match.end() if match else end
    while at < end:
        token = TOKEN.match(text, at, end)
        if token.lastgroup not in ("space", "comment") and token.group() != "\\":
            yield Token(token.lastgroup, token.group(), token.start(), token.end(), True)
        at = token.end()
