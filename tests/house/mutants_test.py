#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The mutation operators find what they are for, and nothing in types, comments and strings."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/mutants"))

import survivors  # noqa: E402
from operators import OPERATORS, in_order, mutants_of  # noqa: E402

CODE = """\
#include <pvs/pvs.h> /* 1 < 2 */
#define LIMIT (4u * 1024u)

struct row {
	int cells[7];
};

static const char *text = "a < b, 5";

/* Not a < b either; 3. */
static int sum(const struct row *r, int from, int to)
{
	int total = 0;
	int i;

	for (i = from; i < to; i++) {
		if (r->cells[i] == PVS_A_LIMIT && !from)
			break;
		total += pvs_min64(r->cells[i], to - 1);
	}
	switch (total) {
	case PVS_A_LIMIT:
		total |= PVS_A_FLAG & ~from;
		break;
	default:
		break;
	}
	return total > 10 ? total : f(from, to);
}
"""

# One mutant of each operator that has to be among those of CODE: the line after it.
WANTED = {
    "comparison flipped": "for (i = from; i > to; i++) {",
    "comparison boundary": "return total >= 10 ? total : f(from, to);",
    "constant plus one": "return total > 11 ? total : f(from, to);",
    "constant minus one": "#define LIMIT (3u * 1024u)",
    "constant zero": "#define LIMIT (4u * 0u)",
    "other constant": "if (r->cells[i] == PVS_A_FLAG && !from)",
    "statement dropped": ";",
    "break dropped": ";",
    "arguments swapped": "return total > 10 ? total : f(to, from);",
    "condition negated": "return !(total > 10) ? total : f(from, to);",
    "and or": "if (r->cells[i] == PVS_A_LIMIT || !from)",
    "plus minus": "total += pvs_min64(r->cells[i], to + 1);",
    "step back": "for (i = from; i < to; i--) {",
    "bits": "total |= PVS_A_FLAG | ~from;",
    "scale": "#define LIMIT (4u / 1024u)",
    "complement dropped": "total |= PVS_A_FLAG & from;",
    "min max": "total += pvs_max64(r->cells[i], to - 1);",
}


class Operators(unittest.TestCase):
    """What mutants_of() makes of CODE."""

    def setUp(self):
        self.mutants = mutants_of("src/sum.c", CODE)

    def of(self, operator):
        """Lines that an operator makes."""
        return [mutant.after for mutant in self.mutants if mutant.operator == operator]

    def test_each_operator_finds_its_place(self):
        self.assertEqual(set(WANTED), set(OPERATORS))
        for operator, line in WANTED.items():
            self.assertIn(line, self.of(operator), operator)

    def test_types_comments_and_strings_are_left_alone(self):
        for mutant in self.mutants:
            self.assertNotIn(mutant.line, (1, 4, 5, 6, 8, 10), mutant)

    def test_functions_are_known(self):
        self.assertEqual({mutant.function for mutant in self.mutants}, {"-", "sum"})
        for mutant in self.mutants:
            self.assertEqual(mutant.function, "sum" if mutant.line > 12 else "-")

    def test_statements_are_dropped_one_by_one(self):
        self.assertEqual(len(self.of("break dropped")), 3)
        dropped = [mutant.before for mutant in self.mutants
                   if mutant.operator == "statement dropped"]
        self.assertEqual(sorted(dropped), sorted([
            "total += pvs_min64(r->cells[i], to - 1);", "total |= PVS_A_FLAG & ~from;",
            "return total > 10 ? total : f(from, to);"]))

    def test_a_mutant_differs_in_one_place(self):
        for mutant in self.mutants:
            changed = mutant.apply(CODE)
            self.assertNotEqual(changed, CODE)
            self.assertEqual(changed[:mutant.start], CODE[:mutant.start])
            self.assertTrue(changed.endswith(CODE[mutant.end:]))

    def test_a_choice_has_some_of_each_and_is_the_same_each_time(self):
        first = in_order(self.mutants, 34, 3)
        self.assertEqual(first, in_order(list(reversed(self.mutants)), 34, 3))
        self.assertEqual({mutant.operator for mutant in first[:34]}, set(OPERATORS))
        self.assertNotEqual(first, in_order(self.mutants, 34, 4))


class Survivors(unittest.TestCase):
    """The list of reasons."""

    def test_a_reason_is_found_by_lines_and_only_by_them(self):
        mutants = mutants_of("src/sum.c", CODE)
        one = next(m for m in mutants if m.after == WANTED["comparison boundary"])
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "survivors.txt"
            path.write_text(f"# a comment\n\n{one.path}: {one.function}: {one.operator}\n"
                            f"- {one.before}\n+ {one.after}\n"
                            "  because it is so\n  and not otherwise\n")
            known = survivors.read(path)
        explained, rest = survivors.explain(mutants, set(), known)
        self.assertEqual(explained, {one.key: "because it is so and not otherwise"})
        self.assertEqual(len(rest), len(mutants) - 1)
        moved = mutants_of("src/sum.c", "\n\n" + CODE)
        self.assertEqual(survivors.outdated(known, moved), [])
        gone = mutants_of("src/sum.c", CODE.replace("> 10", "> 12"))
        self.assertEqual(survivors.outdated(known, gone), [one.key])


if __name__ == "__main__":
    unittest.main()
