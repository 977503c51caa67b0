"""Write outcomes of cases as JUnit XML, which CI systems read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from tariffs.client.cases.case_check import CaseResult


def write_junit(results: Iterable[CaseResult], path: Path) -> None:
    """Write a suite for each file, with a failure for each case that is wrong."""
    root = ElementTree.Element("testsuites")
    for file, cases in groupby(results, key=lambda one: one.file):
        own = list(cases)
        suite = ElementTree.SubElement(root, "testsuite", name=file, tests=str(len(own)))
        suite.set("failures", str(sum(bool(one.wrong) for one in own)))
        for one in own:
            case = ElementTree.SubElement(
                suite, "testcase", name=one.id, classname=file, time=f"{one.seconds:.3f}"
            )
            if one.wrong:
                ElementTree.SubElement(case, "failure", message=one.wrong[0]).text = "\n".join(one.wrong)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
