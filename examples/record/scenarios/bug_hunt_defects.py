"""Defects for copies of library modules; the modules' own tests find every one of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """One wrong passage: what it should be, how to find it, what is tried, and what was wrong with it."""

    module: str
    right: str
    wrong: str
    clue: str
    """What the model searches for."""
    cause: str
    probe: str = ""
    """A program that shows the defect."""
    false_lead: str = ""
    """A first attempt that does not help."""

    @property
    def path(self) -> str:
        return f"stdlib/{self.module}.py"

    @property
    def tests(self) -> str:
        return f"stdlib/test/test_{self.module}.py"


DEFECTS = (
    Defect(
        "textwrap",
        right="margin = margin[:i]",
        wrong="margin = margin[:i + 1]",
        clue="margin",
        cause="the common margin took in the first character that differs",
    ),
    Defect(
        "colorsys",
        right="m2 = l+s-(l*s)",
        wrong="m2 = l+s",
        clue="m2 = ",
        cause="the upper bound of the light half had lost its product",
        probe="import colorsys\nfor l in range(1, 10):\n    print(l, colorsys.hls_to_rgb(0.3, l / 10, 0.5))",
        false_lead="m2 = l+s-(l+s)",
    ),
    Defect(
        "shlex",
        right="nextchar != self.state and nextchar != escapedstate",
        wrong="nextchar != escapedstate",
        clue="escapedstate",
        cause="an escaped escape character kept its backslash inside quotes",
        probe="import shlex\nprint(shlex.split(r'\"a\\\\b\"'))",
    ),
    Defect(
        "fnmatch",
        right="if '-' not in stuff:\n                    stuff = stuff.replace('\\\\', r'\\\\')",
        wrong="if '-' not in stuff:\n                    pass",
        clue="stuff",
        cause="a backslash in a set without ranges was not escaped any more",
    ),
    Defect(
        "difflib",
        right="2.0 * matches / length",
        wrong="1.0 * matches / length",
        clue="matches / length",
        cause="the ratio came out at half its value, and all that chooses by ratio chose wrongly",
        probe="import difflib\nprint(difflib.SequenceMatcher(None, 'abcd', 'abcd').ratio())",
        false_lead="1.0 * matches / (length / 1)",
    ),
    Defect(
        "calendar",
        right="    y1 -= 1\n    y2 -= 1\n",
        wrong="    y2 -= 1\n",
        clue="y2",
        cause="the lower bound was not moved, so a leap year at the start was not counted",
        probe="import calendar\nprint([calendar.leapdays(2000, y) for y in range(2000, 2010)])",
    ),
    Defect(
        "configparser",
        right="v, sect,\n                                           dict(parser.items(sect, raw=True)),",
        wrong="v, sect,\n                                           map,",
        clue="_interpolate_some",
        cause="the variables of another section were looked up in the first one",
    ),
    Defect(
        "csv",
        right="skipinitialspace = delims[delim] == spaces",
        wrong="skipinitialspace = spaces == 0",
        clue="skipinitialspace",
        cause="the sniffer claimed spaces exactly where there were none",
        probe="import csv\nprint(csv.Sniffer().sniff(\"'a', 'b', 'c'\").skipinitialspace)",
        false_lead="skipinitialspace = spaces == len(delims)",
    ),
    Defect(
        "string",
        right="field_name = str(auto_arg_index)\n                    auto_arg_index += 1",
        wrong="auto_arg_index += 1\n                    field_name = str(auto_arg_index)",
        clue="auto_arg_index",
        cause="automatic numbers were taken after counting up, so they began at 1",
    ),
    Defect(
        "reprlib",
        right="j = max(0, self.maxstring-3-i)",
        wrong="j = max(0, self.maxstring-2-i)",
        clue="maxstring",
        cause="one character too many was kept at the end",
        probe="import reprlib\nprint(len(reprlib.repr('x' * 99)))",
        false_lead="j = max(0, self.maxstring-2-i-i)",
    ),
    Defect(
        "fractions",
        right="if denominator < 0:",
        wrong="if denominator < -1:",
        clue="denominator < ",
        cause="a denominator of -1 kept its sign",
        probe="from fractions import Fraction\nprint(Fraction(3, -1), Fraction(3, -2))",
    ),
    Defect(
        "textwrap",
        right="end = hyphen + 1",
        wrong="end = hyphen",
        clue="hyphen",
        cause="the break fell before the hyphen, not after it",
        probe="import textwrap\nprint(textwrap.wrap('a-well-known-long-word', 8))",
    ),
    Defect(
        "graphlib",
        right="successor_info.npredecessors == 0",
        wrong="successor_info.npredecessors <= 1",
        clue="npredecessors",
        cause="a node came out while one of its predecessors was still open",
        probe="import graphlib\nprint(*graphlib.TopologicalSorter({1: [2, 3], 2: [3]}).static_order())",
    ),
    Defect(
        "difflib",
        right="beginning = start + 1     # lines start numbering with one\n    length = stop - start\n    if length == 1:",
        wrong="beginning = start     # lines start numbering with one\n    length = stop - start\n    if length == 1:",
        clue="beginning",
        cause="line numbers in unified differences began at 0",
    ),
    Defect(
        "ipaddress",
        right="other._ip & self.netmask._ip == self.network_address._ip",
        wrong="other._ip & self.netmask._ip >= self.network_address._ip",
        clue="netmask._ip",
        cause="every address above the network counted as inside it",
        probe="import ipaddress\nprint(ipaddress.ip_address('10.9.0.1') in ipaddress.ip_network('10.1.0.0/16'))",
        false_lead="other._ip & self.netmask._ip > self.network_address._ip",
    ),
    Defect(
        "ipaddress",
        right="int(self.broadcast_address) - int(self.network_address) + 1",
        wrong="int(self.broadcast_address) - int(self.network_address)",
        clue="broadcast_address)",
        cause="the number of addresses left out the last one",
    ),
)
