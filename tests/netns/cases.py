#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ring 3: adit's server and client as processes, in namespaces joined by veth: real sockets, real interfaces.

  make stage && tests/netns/cases.py --stage stage [--out DIR] [CASE...]

The cases are in cases_SUBJECT.py beside this file."""

import glob
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'lib')]
sys.dont_write_bytecode = True
import runner  # noqa: E402

for path in sorted(glob.glob(os.path.join(HERE, 'cases_*.py'))):
    importlib.import_module(os.path.basename(path)[:-3])

if __name__ == '__main__':
    runner.main(__doc__)
