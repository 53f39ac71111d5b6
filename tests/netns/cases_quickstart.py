# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/quickstart, in each of its modes, on an installation that is there: what its output promises, and that it leaves nothing behind."""

import os
import subprocess

from lab import PATIENCE, Failure, expect
from runner import case

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUICKSTART = os.path.join(TOP, 'contrib', 'quickstart')


class Quickstart:
    """Its namespaces have names of their own, so that several run at once."""

    def __init__(self, lab, words):
        self.prefix = '%s-%s' % (lab.prefix, words)
        self.env = dict(os.environ, ADIT_QUICKSTART=self.prefix)
        self.stage = lab.stage

    def run(self, *arguments, status=0):
        done = subprocess.run([QUICKSTART, *arguments], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=55 * PATIENCE, check=False)
        if done.returncode != status:
            raise Failure('quickstart %s: status %d:\n%s' % (' '.join(arguments), done.returncode, done.stdout))
        return done.stdout

    def left_over(self):
        namespaces = subprocess.run(['ip', 'netns'], capture_output=True, text=True, check=True).stdout.split()
        return [name for name in namespaces if name.startswith(self.prefix + '-')] + [path for path in os.listdir('/run') if path == self.prefix + '-quickstart']

    def show(self, *mode):
        """Shows it, to the end."""
        try:
            out = self.run(*mode, '--stage', self.stage)
        finally:
            left = self.left_over()
            self.run('--stop')
        expect('Done; taking it down' in out and not left, 'left over: %s\n%s' % (left, out))
        return out


def expect_lines(out, *texts):
    for text in texts:
        expect(text in out, 'quickstart does not print "%s":\n%s' % (text, out))


@case
def quickstart_of_a_user(lab):
    out = Quickstart(lab, 'user').show()
    expect_lines(out, ' 3 received, 0% packet loss', 'receiver', 'ann')


@case
def quickstart_with_radius(lab):
    out = Quickstart(lab, 'radius').show('--radius')
    expect_lines(out, ' 3 received, 0% packet loss', 'receiver', 'rita', 'Acct-Status-Type = Start')


@case
def quickstart_of_a_bridge(lab):
    """Full frames, frames with a tag, and TCP from office to office; and what --keep leaves goes by --stop."""
    quickstart = Quickstart(lab, 'bridge')
    out = quickstart.show('--bridge')
    expect_lines(out, '1472(1500) bytes of data', '1480 bytes from 10.30.0.54', '8972(9000) bytes of data', '8980 bytes from 10.30.0.54', '8100 0007',
                 'receiver', 'bridge            br-lan', 'peer-mrru           1600')
    expect(out.count(' 3 received, 0% packet loss') == 2, 'pings were lost:\n%s' % out)
    fragmented = next(line.split()[1] for line in out.splitlines() if 'tx-fragmented' in line)
    expect(int(fragmented) > 0, 'nothing went in fragments:\n%s' % out)


@case
def quickstart_kept_and_stopped(lab):
    quickstart = Quickstart(lab, 'kept')
    try:
        out = quickstart.run('--bridge', '--keep', '--stage', quickstart.stage)
        expect_lines(out, 'It is left running', 'hosta ping -M do -s 1472 10.30.0.54')
        subprocess.run(['ip', 'netns', 'exec', quickstart.prefix + '-hosta', 'ping', '-n', '-c', '1', '-w', '5', '-M', 'do', '-s', '1472', '10.30.0.54'], check=True,
                       stdout=subprocess.DEVNULL)
    finally:
        quickstart.run('--stop')
    expect(not quickstart.left_over(), 'left over: %s' % quickstart.left_over())


@case
def quickstart_explains_itself(lab):
    """--help names every mode; what it does not know, and two modes at once, are errors that say so."""
    quickstart = Quickstart(lab, 'help')
    expect_lines(quickstart.run('--help'), '--radius', '--bridge', '--keep', '--stage DIR', '--stop')
    expect_lines(quickstart.run('--nonsense', status=2), '--bridge')
    expect_lines(quickstart.run('--radius', '--bridge', status=2), 'choose one of them')
    expect_lines(quickstart.run('--stage', lab.folder, status=1), 'adit is not installed there')
