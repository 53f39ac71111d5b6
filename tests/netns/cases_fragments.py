# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments of Multilink that never make a packet, from a peer that is authenticated and from one that is not: memory stays, and others work."""

import json
import os
import re
import sys

import configs
from lab import expect, poll
from road import INSIDE, SERVER, USERS, Road
from runner import case

HELD = 1024 * 2048  # octets that a bundle may hold at most (plugins/mp/data/mp-pool.h)


def by_hand(road, name, *arguments):
    """ppp_user.py as a process."""
    here = os.path.dirname(os.path.abspath(__file__))
    return road.cli.start(name, sys.executable, '-B', os.path.join(here, 'ppp_user.py'), '--to', SERVER, '--port', '0', '--mrru', '1600', *arguments)


def said(process, event):
    def found():
        lines = [json.loads(line) for line in process.text().splitlines() if line.startswith('{')]
        expect(not any(line['event'] in ('silence', 'ended', 'refused') for line in lines), 'waiting for %s: %s' % (event, lines))
        return [line for line in lines if line['event'] == event]
    return poll(found, 'by-hand says %s' % event, 60, 0.1)[-1]


def multilink(server, user):
    return json.loads(server.ctl('--json', 'show', 'session', user).stdout)['session']['multilink']


def pings_lost(process):
    return float(re.search(r'([0-9.]+)% packet loss', process.text()).group(1))


@case(limit=120)
def fragments_that_never_end(lab):
    """A sanitizer keeps what is freed, so resident memory is judged in a plain build."""
    if lab.plain:
        lab.use(lab.plain)
    road = Road(lab, watch=False)
    server = lab.adit(road.srv, configs.write(configs.server(dict(USERS, bob='builder'), methods=('pap',), profile={'use-ipv6': 'no'}, mrru=1600)), name='server')
    client = road.client(mrru=1600)
    road.works(server, client)
    early = by_hand(road, 'early', '--name', 'bob', '--password', 'wrong', '--early', '40000', '--stay', '1')
    said(early, 'fragments')
    expect(not said(early, 'login')['accepted'], 'a wrong password')
    flood = by_hand(road, 'flood', '--name', 'bob', '--password', 'builder', 'settle', 'fragments=20000', 'fragments=100000', 'settle')
    said(flood, 'fragments')
    before, pings = server.resident_kib(), road.cli.start('pings', 'ping', '-n', '-q', '-i', '0.02', '-s', '1472', '-M', 'do', '-c', '200', '-w', '20', INSIDE)
    poll(lambda: len([line for line in flood.text().splitlines() if '"fragments"' in line]) == 2, 'the flood', 60)
    counters = multilink(server, 'bob')
    expect(counters['held'] <= HELD, 'a bundle holds %d octets' % counters['held'])
    expect(counters['rx-packets'] < 100 and counters['lost'] > 1000 and counters['broken'] > 1000, 'counters: %s' % counters)
    said(flood, 'done')  # it settled once more: its own link works
    pings.wait(30)
    expect(pings_lost(pings) < 3, 'pings of another user: %s' % pings.text())
    poll(lambda: multilink(server, 'bob')['held'] == 0, 'nothing is held', 10)
    expect(multilink(server, 'alice')['no-memory'] == 0, 'no memory for another user')
    if not lab.sanitized():
        grown = server.resident_kib() - before
        expect(grown < 4096, 'memory grew by %d KiB' % grown)
    client.stop()
    server.stop()
