# SPDX-License-Identifier: GPL-2.0-or-later
"""Long lists: nobody waits for them, nobody is hurt by who does not read them, and their memory goes back. ADIT_STORM_SESSIONS makes them longer."""

import os
import signal
import time

import configs
from lab import Varlink, expect, poll
from road import load
from runner import case

SESSIONS = int(os.environ.get('ADIT_STORM_SESSIONS', '2000'))
TUNNELS = min(int(os.environ.get('ADIT_STORM_SESSIONS', '7500')), 50000)


def many(lab, sessions, per_tunnel):
    """A server with so many sessions on a shared interface."""
    srv, cli = lab.namespace('srv'), lab.namespace('cli')
    lab.wire(srv, 'wire', cli, 'wire')
    srv.address('wire', '192.0.2.1/24')
    cli.address('wire', '192.0.2.2/24')
    tree = configs.server({'load%d' % n: 'pass' for n in range(sessions)}, pool='10.64.0.2-10.64.255.254', profile={'interface': 'shared'},
                          l2tp={'max-starting': 'none', 'new-tunnel-rate': 100000, 'new-tunnel-burst': 100000},
                          **{'keepalive-timeout': '300s', 'no-session-timeout': 'none'})
    tree['management'] = {'read': 'all'}
    server = lab.adit(srv, configs.write(tree))
    clients = load(lab, cli, sessions, '--per-tunnel', per_tunnel, '--rate', 2000, user='load%u', password='pass')
    clients.expect_text('all-up', 60 + sessions // 40)
    return server, clients


def held_ms(server):
    """How long the management socket's work has held the main loop at most, in processor time."""
    return server.call('io.adit.core.GetStats')['control']['longest-pass-us'] / 1e3


@case(limit=120 + TUNNELS // 10, alone=True)
def unread_lists_of_very_many_tunnels(lab):
    """`show tunnels` of more tunnels than a socket holds, by a stranger who does not read it: the daemon lives, answers others meanwhile, and
    the stranger gets the whole list when he reads after all. Tunnels that close meanwhile are left out."""
    if lab.plain:
        lab.use(lab.plain)
    server, clients = many(lab, TUNNELS, 1)
    srv = server.namespace
    with Varlink(server.socket) as slow, Varlink(server.socket) as other:
        slow.send('io.adit.l2tp.ListTunnels', {}, more=True)
        for method in ('io.adit.core.GetInfo', 'io.adit.core.GetStats'):
            since = time.monotonic()
            other.send(method, {})
            other.receive()
            expect(time.monotonic() - since < 5, '%s waits for a reader of something else' % method)
        first = slow.receive()['tunnels']
        clients.signal(signal.SIGTERM)  # says goodbye
        poll(lambda: server.call('io.adit.core.GetStats')['sessions'] < TUNNELS * 99 // 100, 'sessions end', 9)
        rows = len(first)
        while slow.continues:
            rows += len(slow.receive()['tunnels'])
        expect(len(first) <= rows <= TUNNELS, '%d rows of %d tunnels' % (rows, TUNNELS))
    stranger = ('setpriv', '--reuid=65533', '--regid=65533', '--clear-groups', lab.aditctl, '--socket', server.socket)
    shown = srv.run(*stranger, 'show', 'tunnels', deadline=60)
    expect(shown.returncode == 0 and shown.stdout.lstrip().startswith('ID'), 'show tunnels as a stranger: %s %s' % (shown.stderr, shown.stdout[:200]))
    print('    %d tunnels: %d rows reached a reader who paused; the loop was held for %.1f ms at most' % (TUNNELS, rows, held_ms(server)))
    server.stop(60)


@case(limit=120 + SESSIONS // 20, alone=True)
def memory_goes_back_after_lists_and_reloads(lab):
    """Resident memory after two lists of all sessions and three reloads is what it was, but for a bounded remainder; the loop is never held
    for 10 ms by a list. A sanitizer keeps what is freed, so memory is judged in a plain build."""
    if lab.plain:
        lab.use(lab.plain)
    server, clients = many(lab, SESSIONS, 100)
    up = server.resident_kib()
    for _ in range(2):
        got = len(server.list('io.adit.session.ListSessions', 'sessions'))
        expect(got == SESSIONS, '%d of %d sessions listed' % (got, SESSIONS))
    table = server.ctl('show', 'sessions', deadline=60).stdout.splitlines()
    expect(len(table) == SESSIONS + 1, 'a table of %d lines: %s' % (len(table), table[:3]))
    held, listed = held_ms(server), server.resident_kib()
    reloaded = []
    for _ in range(3):
        server.ctl('reload', deadline=60)
        reloaded.append(server.resident_kib())
    if not lab.sanitized():
        poll(lambda: server.resident_kib() < up * 1.15 + 4096, 'memory goes back: %d KiB, then %s' % (up, reloaded), 20)
        expect(listed < up * 1.02 + 4096, 'lists cost memory: %d KiB, then %d' % (up, listed))
        expect(held < 10, 'a list held the main loop for %.1f ms' % held)
    print('    %d sessions: %d KiB up, %d listed twice, %s after each reload, %d when it went back; the loop was held for %.1f ms at most' %
          (SESSIONS, up, listed, ' '.join(map(str, reloaded)), server.resident_kib(), held))
    clients.kill()
    server.stop(60)
