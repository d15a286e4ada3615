#!/bin/sh
# SPDX-License-Identifier: MIT
# Python's own tests: what became of each, by name.
# usage: python.sh MODULE...
set -u
/usr/bin/python3 -m test --junit-xml=results.xml "$@" >said 2>&1
status=$?
[ "$status" = 0 ] || tail -n 200 said >&2
/usr/bin/python3 "$SEAM_SOURCE/tests/packages/names.py" results.xml
exit $status
