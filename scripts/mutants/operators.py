# SPDX-License-Identifier: BSD-2-Clause
"""The mutation operators: each finds the places of a file where it applies.

Every operator is a generator of (first token, last token, new text). A mutant is known by its file,
its function, its operator, and its line before and after; never by a line number.
"""
import hashlib
import re
from dataclasses import dataclass

from tokens import Source

KEYWORDS = {"if", "else", "for", "while", "do", "switch", "case", "default", "return", "break",
            "continue", "goto", "sizeof", "typedef", "struct", "union", "enum", "static", "const",
            "volatile", "extern", "inline", "__inline__", "register"}
LOOP_MACROS = {"PVS_FOR"}
HELPERS = {"pvs_min64": "pvs_max64", "pvs_max64": "pvs_min64"}
MIN32 = "pvs_shim_min"
TYPES = re.compile(r"^(pvs_[us](8|16|32|64)|pvs_guest_half|void|int|unsigned|char|long|short|"
                   r"signed|__\w+_TYPE__|struct|union|enum|const|volatile|static)$")
NUMBER = re.compile(r"^(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)$")
CONSTANT = re.compile(r"^[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]$")


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""
    path: str
    function: str  # around it; "-" outside
    operator: str
    start: int
    end: int
    new: str
    line: int
    before: str  # the line, normalised
    after: str   # the same line, changed

    @property
    def key(self):
        """What it is known by in the list of survivors."""
        return f"{self.path}|{self.function}|{self.operator}|{self.before}|{self.after}"

    def order(self, seed):
        """A number that depends on the mutant and the seed alone."""
        return hashlib.sha256(f"{seed}|{self.key}|{self.start}".encode()).hexdigest()

    def apply(self, text):
        """The file with the change."""
        return text[:self.start] + self.new + text[self.end:]


def is_operand_end(source, index):
    """Does the token end an operand, so that `-` or `*` behind it has two sides?"""
    if index < 0:
        return False
    token = source.tokens[index]
    if token.kind in ("number", "string", "char"):
        return True
    if token.kind == "name":
        return token.text not in KEYWORDS and not TYPES.match(token.text) and not (
            index and source.tokens[index - 1].text in ("struct", "union", "enum"))
    if token.text == ")":
        return not is_cast(source, source.partner.get(index, index))
    return token.text == "]"


def is_cast(source, opened):
    """Do these parentheses contain a type and nothing else?"""
    closed = source.partner.get(opened)
    inside = source.tokens[opened + 1:closed]
    if not inside or not TYPES.match(inside[0].text):
        return False
    if opened and source.tokens[opened - 1].text in ("sizeof",):
        return False
    return all(TYPES.match(token.text) or token.text == "*" or token.kind == "name"
               for token in inside)


def replace_tokens(table, both_sides=False, in_code_only=False):
    """An operator that puts another token in the place of one."""
    def operator(source):
        for index, token in enumerate(source.tokens):
            if token.kind != "punct" or token.text not in table:
                continue
            if both_sides and not is_operand_end(source, index - 1):
                continue
            if in_code_only and not source.depth[index] and not token.body:
                continue
            yield token, token, table[token.text]
    return operator


def numbers(change):
    """An operator on integer constants; `change` says the new value or None."""
    def operator(source):
        for token in source.tokens:
            match = NUMBER.match(token.text) if token.kind == "number" else None
            if not match:
                continue
            value = int(match.group(1), 0) if not re.match(r"^0[0-7]+$", match.group(1)) else 0
            new = change(value)
            if new is not None and new != value:
                base = hex(new) if match.group(1).lower().startswith("0x") else str(new)
                yield token, token, base + match.group(2)
    return operator


def families(source):
    """Named constants by their first two words, in the order of their names."""
    found = {}
    for index, token in enumerate(source.tokens):
        if is_constant(source, index):
            family = "_".join(token.text.split("_")[:2])
            found.setdefault(family, set()).add(token.text)
    return {family: sorted(names) for family, names in found.items()}


def is_constant(source, index):
    """A name all in capitals that is no macro with arguments."""
    token = source.tokens[index]
    if token.kind != "name" or not CONSTANT.match(token.text):
        return False
    return index + 1 == len(source.tokens) or source.tokens[index + 1].text != "("


def other_constant(source):
    """Another named constant of the same family that the file uses."""
    known = families(source)
    for index, token in enumerate(source.tokens):
        if not is_constant(source, index):
            continue
        names = known["_".join(token.text.split("_")[:2])]
        if len(names) > 1:
            yield token, token, names[(names.index(token.text) + 1) % len(names)]


def negated_conditions(source):
    """if (x) -> if (!(x)), while the same, and x ? a : b -> !(x) ? a : b."""
    for index, token in enumerate(source.tokens):
        if token.text in ("if", "while") and source.depth[index]:
            opened = index + 1
            closed = source.partner.get(opened)
            if closed and closed > opened + 1:
                yield source.tokens[opened], source.tokens[closed], \
                    "(!" + text_of(source, opened, closed) + ")"
        if token.text == "?" and token.kind == "punct":
            first = condition_start(source, index)
            if first < index:
                yield source.tokens[first], source.tokens[index - 1], \
                    "!(" + text_of(source, first, index - 1) + ")"


def condition_start(source, index):
    """First token of the condition before a `?`."""
    at = index
    while at > 0:
        before = source.tokens[at - 1]
        if before.text in (")", "]"):
            at = source.partner[at - 1]
            continue
        if before.kind == "punct" and before.text in (
                "(", "[", "{", "}", ",", ";", "=", "+=", "-=", "|=", "&=", "?", ":"):
            return at
        if before.text == "return":
            return at
        at -= 1
    return at


def text_of(source, first, last):
    """Source text from one token to another."""
    return source.text[source.tokens[first].start:source.tokens[last].end]


def arguments_of(source, opened):
    """(first, last) token of each argument of a call."""
    closed = source.partner[opened]
    arguments = []
    first = at = opened + 1
    while at < closed:
        text = source.tokens[at].text
        if text in ("(", "[", "{") and at in source.partner:
            at = source.partner[at]
        elif text == ",":
            arguments.append((first, at - 1))
            first = at + 1
        at += 1
    if first < closed:
        arguments.append((first, closed - 1))
    return arguments


def swapped_arguments(source):
    """f(a, b) -> f(b, a), for neighbours. Where the order means nothing by definition (the smaller
    one of two) there is nothing to swap: those have an operator of their own."""
    for index, token in enumerate(source.tokens[:-1]):
        if token.kind != "name" or token.text in KEYWORDS or not source.depth[index]:
            continue
        if token.text in HELPERS or token.text == MIN32:
            continue
        opened = index + 1
        if source.tokens[opened].text != "(" or opened not in source.partner:
            continue
        arguments = arguments_of(source, opened)
        for left, right in zip(arguments, arguments[1:]):
            a, b = text_of(source, *left), text_of(source, *right)
            if a != b:
                between = source.text[source.tokens[left[1]].end:source.tokens[right[0]].start]
                yield source.tokens[left[0]], source.tokens[right[1]], b + between + a


def statements(source):
    """(first, last) token of each simple statement."""
    tokens = source.tokens
    index = 0
    while index < len(tokens):
        if not source.depth[index] or tokens[index].body or not begins_statement(source, index):
            index += 1
            continue
        end = index
        while end < len(tokens) and tokens[end].text != ";":
            end = source.partner.get(end, end) + 1 if tokens[end].text in "([{" else end + 1
        if end < len(tokens) and not is_declaration(source, index):
            yield index, end
        index += 1


def begins_statement(source, index):
    """Is this the first token of a statement that ends at a semicolon?"""
    token, before = source.tokens[index], source.tokens[index - 1]
    if token.text in "{};:" or token.text in (
            "if", "for", "while", "switch", "do", "else", "case", "default"):
        return False
    if token.text in LOOP_MACROS:
        return False
    if before.text in ("{", "}", ";", "else", "do"):
        return not inside_parentheses(source, index)
    if before.text == ":":
        return is_label_end(source, index - 1)
    if before.text == ")":
        head = source.partner[index - 1] - 1
        return source.tokens[head].text in {"if", "for", "while"} | LOOP_MACROS
    return False


def inside_parentheses(source, index):
    """The semicolons of a for are no statements."""
    return any(source.tokens[opened].text == "(" and opened < index < closed
               for opened, closed in source.partner.items())


def is_label_end(source, colon):
    """`case X:` or `default:`, not the colon of a choice."""
    at = colon - 1
    while at > 0 and source.tokens[at].text not in ("case", "default", ";", "{", "}", "?"):
        at -= 1
    return source.tokens[at].text in ("case", "default")


def is_declaration(source, index):
    """Does a statement declare something?"""
    return bool(TYPES.match(source.tokens[index].text))


def dropped_statements(source):
    """A statement that is not there; `break` and `continue` have an operator of their own."""
    for first, last in statements(source):
        if source.tokens[first].text not in ("break", "continue"):
            yield source.tokens[first], source.tokens[last], ";"


def dropped_breaks(source):
    """A break or continue that is not there."""
    for first, last in statements(source):
        if source.tokens[first].text in ("break", "continue"):
            yield source.tokens[first], source.tokens[last], ";"


def swapped_helpers(source):
    """The smaller one for the larger one, and the other way round."""
    for index, token in enumerate(source.tokens[:-1]):
        if source.tokens[index + 1].text != "(" or not source.depth[index]:
            continue
        if token.text in HELPERS:
            yield token, token, HELPERS[token.text]
        elif token.text == MIN32:
            left, right = arguments_of(source, index + 1)
            a, b = text_of(source, *left), text_of(source, *right)
            yield token, source.tokens[source.partner[index + 1]], \
                f"((pvs_u32)({a}) > (pvs_u32)({b}) ? (pvs_u32)({a}) : (pvs_u32)({b}))"


OPERATORS = {
    "comparison flipped": replace_tokens(
        {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="}),
    "comparison boundary": replace_tokens({"<": "<=", "<=": "<", ">": ">=", ">=": ">"}),
    "constant plus one": numbers(lambda n: n + 1),
    "constant minus one": numbers(lambda n: n - 1 if n else None),
    "constant zero": numbers(lambda n: 0 if n > 1 else None),
    "other constant": other_constant,
    "statement dropped": dropped_statements,
    "break dropped": dropped_breaks,
    "arguments swapped": swapped_arguments,
    "condition negated": negated_conditions,
    "and or": replace_tokens({"&&": "||", "||": "&&"}),
    "plus minus": replace_tokens({"+": "-", "-": "+", "+=": "-=", "-=": "+="}, both_sides=True),
    "step back": replace_tokens({"++": "--", "--": "++"}, in_code_only=True),
    "bits": replace_tokens(
        {"&": "|", "|": "&", "<<": ">>", ">>": "<<", "&=": "|=", "|=": "&="}, both_sides=True),
    "scale": replace_tokens({"*": "/", "/": "*"}, both_sides=True),
    "complement dropped": replace_tokens({"~": "", "!": ""}, in_code_only=True),
    "min max": swapped_helpers,
}


def mutants_of(path, text):
    """All mutants of one file."""
    source = Source(path, text)
    functions = list(source.functions())
    found = []
    for name, operator in OPERATORS.items():
        for first, last, new in operator(source):
            start, end = first.start, last.end
            if in_type(source, first):
                continue
            changed = text[:start] + new + text[end:]
            line_start = text.rfind("\n", 0, start) + 1
            stop = changed.find("\n", start + len(new))
            after = changed[line_start:stop if stop >= 0 else len(changed)]
            whole = text[line_start:text.find("\n", end - 1)]
            function = next((called for first_of, last_of, called in functions
                             if first_of <= start < last_of), "-")
            found.append(Mutant(path, function, name, start, end, new, source.line_of(start),
                                flat(whole), flat(after)))
    return found


def flat(text):
    """One line without comments and surplus white space."""
    text = re.sub(r"/\*.*?(\*/|$)", "", text, flags=re.DOTALL)
    return " ".join(text.replace("\\\n", " ").split())


TYPE_BODY = re.compile(r"\b(?:struct|enum|union)\s+\w*\s*\{.*?\n\}\s*;", re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)", re.DOTALL)


def in_type(source, token):
    """Layouts and attributes are no behaviour."""
    if not hasattr(source, "quiet"):
        source.quiet = [match.span() for pattern in (TYPE_BODY, ATTRIBUTE)
                        for match in pattern.finditer(source.text)]
    return any(start <= token.start < end for start, end in source.quiet)


def in_order(mutants, count, seed):
    """All of them in the order to try them, so that the first `count` have some of each operator.
    The same for the same seed."""
    ordered = sorted(mutants, key=lambda mutant: mutant.order(seed))
    groups = {}
    for mutant in ordered:
        groups.setdefault(mutant.operator, []).append(mutant)
    least = max(1, count // (3 * max(1, len(groups))))
    first = {mutant for group in groups.values() for mutant in group[:least]}
    return sorted(ordered, key=lambda mutant: mutant not in first)
