# SPDX-License-Identifier: BSD-2-Clause
# The headers have plain comments, as kernels do. For Doxygen they become documentation: a comment
# at the beginning of a line belongs to what follows, one behind code to the code before it.
# Licence lines and section rules are no documentation of anything.
/SPDX-License-Identifier/d
/^\/\* -\{3,\}/d
# Plain text may contain what Doxygen takes for markup.
/^[[:space:]]*\/\{0,1\}\*/{
	s|&|\&amp;|g
	s|<|\&lt;|g
}
s|^/\*$|/**|
s|^\([[:space:]]*\)/\* |\1/** |
s|^\(.*[;,){0-9A-Za-z_(>\\].*[^[:space:]].*\)/\* |\1/**< |
