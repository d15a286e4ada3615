# SPDX-License-Identifier: MIT
"""What became of each test, by name, from what `python3 -m test --junit-xml`
wrote: passed, or failed, or why it was skipped.
usage: names.py FILE"""
import sys
import xml.etree.ElementTree as tree

for case in tree.parse(sys.argv[1]).iter("testcase"):
    fate = [f"{part.tag} {part.text or ''}".strip() for part in case
            if part.tag in ("skipped", "error", "failure")]
    print(case.get("name"), case.get("status"), *fate)
