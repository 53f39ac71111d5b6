# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs test cases, several at once, each in a process and a Lab of its own, and prints a line for each."""

import argparse
import fnmatch
import os
import signal
import sys
import time
import traceback

import lab as labs

CASES = []


def case(function=None, *, limit=60, needs_adit=True, alone=False):
    """Marks a function as a case: it is called with a Lab. `limit` is in seconds; `alone` cases run with no other beside them."""
    def mark(f):
        CASES.append((f.__name__, f, limit, needs_adit, alone))
        return f
    return mark(function) if function else mark


def parser(description):
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--stage', help='what `make install DESTDIR=` left behind')
    p.add_argument('--plain', help='another stage, without sanitizers, for cases that measure memory')
    p.add_argument('--build', help='the build folder, for helper programs; default: where the stage is')
    p.add_argument('--wrapper', default='', help='runs adit under this: "valgrind -q"')
    p.add_argument('--out', help='keep logs and captures here')
    p.add_argument('--jobs', type=int, default=4, help='cases at once')
    p.add_argument('--list', action='store_true')
    p.add_argument('cases', nargs='*', help='names or patterns; none = all')
    return p


def run_one(name, function, limit, args, check_captures):
    """In a child: status 0 passed, 1 failed. Its words go to stdout."""
    def expire(*_):
        raise labs.Failure('not done within %d s' % (limit * labs.PATIENCE))
    signal.signal(signal.SIGALRM, expire)
    signal.alarm(int(limit * labs.PATIENCE))
    lab = labs.Lab(name, args.stage, args.out, args.build, args.wrapper.split(), args.plain)
    try:
        with lab:
            try:
                function(lab)
                signal.alarm(0)
                for process in lab.processes:
                    if process.name.startswith('tcpdump') and process.running():
                        process.stop()
                if check_captures:
                    lab.check_captures()
                return 0
            except Exception as error:
                signal.alarm(0)
                words = [str(error)] if isinstance(error, labs.Failure) else traceback.format_exc().splitlines()
                if isinstance(error, labs.Failure):
                    frame = [f for f in traceback.extract_tb(error.__traceback__) if os.path.basename(f.filename).startswith('cases')]
                    words[0] += ' (%s:%d)' % (os.path.basename(frame[-1].filename), frame[-1].lineno) if frame else ''
                for process in lab.processes:
                    if not process.name.startswith('tcpdump'):
                        lines = process.text().splitlines()
                        words += ['--- %s' % process.name] + lines[-int(os.environ.get('ADIT_TEST_LINES', '12')):]
                print('\n'.join('    ' + line for line in words), flush=True)
                return 1
    except Exception:
        traceback.print_exc()
        return 1


def run(args, check_captures=True, peers_only=False):
    chosen = [c for c in CASES if not args.cases or any(fnmatch.fnmatch(c[0], p) for p in args.cases)]
    if peers_only:
        chosen = [c for c in chosen if not c[3]]
    if args.list:
        print('\n'.join(c[0] for c in chosen))
        return 0
    if not chosen:
        print('no such case; --list shows all')
        return 1
    started = time.monotonic()
    pending, running, failed = sorted(chosen, key=lambda c: (c[4], -c[2])), {}, []
    out = args.out or '/tmp'
    os.makedirs(out, exist_ok=True)

    def start(c):
        output = '%s/adit-test-%d-%s.out' % (out, os.getpid(), c[0])
        pid = os.fork()
        if pid == 0:
            fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(fd, 1)
            os.dup2(fd, 2)
            os._exit(run_one(c[0], c[1], c[2], args, check_captures))
        running[pid] = (c, time.monotonic(), output)

    while pending or running:
        while pending and len(running) < args.jobs and (not pending[0][4] or not running) and not any(r[0][4] for r in running.values()):
            start(pending.pop(0))
        pid, status = os.wait()
        if pid not in running:
            continue
        c, since, output = running.pop(pid)
        print('%s %s (%.1f s)' % ('ok  ' if status == 0 else 'FAIL', c[0], time.monotonic() - since), flush=True)
        with open(output) as f:
            text = f.read()
        os.unlink(output)
        if text:
            print(text.rstrip('\n'), flush=True)
        if status != 0:
            failed.append(c[0])
    print('%d passed, %d failed in %d s%s' % (len(chosen) - len(failed), len(failed), time.monotonic() - started,
                                              ': ' + ' '.join(failed) if failed else ''), flush=True)
    return 1 if failed else 0


def main(description, **kwargs):
    args = parser(description).parse_args()
    if not args.stage and not args.list:
        sys.exit('--stage DIR, please')
    sys.exit(run(args, **kwargs))
