# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic while something happens to the path: a transfer both ways with pings beside it, and packets that are lost."""

import re

from lab import expect, poll
from sides import both_ways

PAUSE = 0.05


def longest_stall(text):
    """Seconds without an answer. Pings have their due time, not that of the clock: an emulated machine may stop ping itself for long."""
    arrivals = sorted(int(n) * PAUSE + float(ms) / 1000 for n, ms in re.findall(r'icmp_seq=(\d+) .*time=([0-9.]+) ms', text))
    expect(len(arrivals) > 20, '%d pings are answered' % len(arrivals))
    return max(b - a for a, b in zip(arrivals, arrivals[1:]))


class Stream:
    """Runs until it is ended: TCP both ways, and pings."""

    def __init__(self, srv, cli, server_inside):
        listener = srv.start('iperf3-stream', 'iperf3', '-s', '-1', '-p', '5300', '--forceflush')
        listener.expect_text('Server listening')
        self.transfer = cli.start('stream', 'iperf3', '-c', server_inside, '-p', '5300', '-t', '600', '-b', '1M', '--bidir', '--forceflush')
        self.transfer.expect_text('Mbits/sec')
        self.pings = cli.start('pings', 'ping', '-n', '-i', str(PAUSE), server_inside)
        self.more()

    def more(self, answers=20):
        """Waits until more pings are answered."""
        before = self.pings.text().count('time=')
        poll(lambda: self.pings.text().count('time=') >= before + answers, '%d more answers' % answers, 20)

    def end(self):
        self.more()
        expect(self.transfer.running(), 'the transfer ends: ' + self.transfer.text()[-300:])
        self.pings.kill()
        self.transfer.kill()
        stall = longest_stall(self.pings.text())
        expect(stall < 1, 'a stall of %.1f s' % stall)


def lose(namespace, percent):
    """Drops that part of the packets that leave the namespace, at random; with 0 none."""
    if percent:
        namespace.run('tc', 'qdisc', 'replace', 'dev', 'wire', 'root', 'netem', 'loss', '%d%%' % percent)
    else:
        namespace.run('tc', 'qdisc', 'delete', 'dev', 'wire', 'root')


def survive_loss(srv, cli, server_inside, client_inside, least=40, size=None):
    """Pings while one in ten packets is lost each way: at least that many of 100 come back. Afterwards everything works."""
    lose(srv, 10)
    lose(cli, 10)
    answers = cli.ping(server_inside, count=100, interval=0.02, deadline=20, size=size)
    lose(srv, 0)
    lose(cli, 0)
    expect(answers >= least, '%d of 100 pings come back while 10 %% are lost each way' % answers)
    both_ways(srv, cli, server_inside, client_inside)
