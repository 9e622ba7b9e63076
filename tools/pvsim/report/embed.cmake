# SPDX-License-Identifier: BSD-2-Clause
#
# cmake -DDIR=<this directory> -DOUT=<file.c> -P embed.cmake: the template of the page, with its
# style and its script inside, as one C string.
file(READ "${DIR}/template.html" page)
file(READ "${DIR}/template.css" style)
file(READ "${DIR}/template.js" script)
string(REPLACE "@PVSIM_CSS@" "${style}" page "${page}")
string(REPLACE "@PVSIM_JS@" "${script}" page "${page}")

# Bytes, not text: a compiler need not take strings of this length.
file(WRITE "${OUT}.html" "${page}")
file(READ "${OUT}.html" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REPEAT "....." 16 line)
string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUT}" "/* Made of tools/pvsim/report/template.*; not to be changed here. */
#include \"report_page.h\"

const unsigned char sim_report_page[] = {
${bytes}0x00
};
")
