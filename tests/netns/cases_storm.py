# SPDX-License-Identifier: GPL-2.0-or-later
"""Very many sessions, listed, reloaded and stopped. ADIT_STORM_SESSIONS says how many; a few hundred without it."""

import os
import select
import signal
import socket
import threading
import time

import configs
from lab import Varlink, expect, poll
from road import load
from runner import case

SESSIONS = int(os.environ.get('ADIT_STORM_SESSIONS', '600'))
PER_TUNNEL = 100


class Heartbeat:
    """Asks the daemon for a trifle again and again, in a process of its own, and keeps the longest time that an answer took."""

    def __init__(self, adit):
        self.ours, theirs = socket.socketpair()
        self.child = os.fork()
        if self.child == 0:
            self.ours.close()
            os._exit(self.beat(adit, theirs))
        theirs.close()

    @staticmethod
    def beat(adit, theirs):
        longest, asked = 0.0, 0
        theirs.setblocking(False)
        with Varlink(adit.socket, timeout=60) as connection:
            while not select.select([theirs], [], [], 0.002)[0]:
                since = time.monotonic()
                connection.send('io.adit.core.GetInfo', {})
                connection.receive()
                longest, asked = max(longest, time.monotonic() - since), asked + 1
        theirs.setblocking(True)
        theirs.sendall(b'%d %d' % (longest * 1e6, asked))
        return 0

    def end(self):
        """The longest in milliseconds, and how many answers there were."""
        self.ours.sendall(b'.')
        self.ours.settimeout(60)
        longest, asked = self.ours.recv(100).split()
        os.waitpid(self.child, 0)
        self.ours.close()
        return int(longest) / 1e3, int(asked)


@case(limit=60 + SESSIONS // 20)
def storm_up_listed_reloaded_stopped(lab):
    """All up on a shared interface, `show tunnels|sessions` complete twice, three reloads, a clean stop whatever is still said goodbye to."""
    patience = 30 + SESSIONS // 40
    srv, cli = lab.namespace('srv'), lab.namespace('cli')
    lab.wire(srv, 'wire', cli, 'wire')
    srv.address('wire', '192.0.2.1/24')
    cli.address('wire', '192.0.2.2/24')
    tree = configs.server({'load%d' % n: 'pass' for n in range(SESSIONS)}, pool='10.64.0.2-10.64.255.254', profile={'interface': 'shared'},
                          l2tp={'max-starting': 'none', 'new-tunnel-rate': 100000, 'new-tunnel-burst': 100000},
                          **{'keepalive-timeout': '120s', 'no-session-timeout': 'none'})
    server = lab.adit(srv, configs.write(tree))
    clients = load(lab, cli, SESSIONS, '--per-tunnel', PER_TUNNEL, '--rate', 2000, user='load%u', password='pass')
    clients.expect_text('all-up', patience)
    tunnels = (SESSIONS + PER_TUNNEL - 1) // PER_TUNNEL
    sizes, longest = [server.resident_kib()], []

    def listed():
        heart = Heartbeat(server)
        got = len(server.list('io.adit.session.ListSessions', 'sessions')), len(server.list('io.adit.l2tp.ListTunnels', 'tunnels'))
        took, asked = heart.end()
        longest.append(took)
        expect(asked > 0, 'the daemon answered nothing else meanwhile')
        return got
    for _ in range(2):
        got = listed()
        expect(got == (SESSIONS, tunnels), 'listed %d sessions and %d tunnels, not %d and %d' % (got + (SESSIONS, tunnels)))
    sizes.append(server.resident_kib())
    for _ in range(3):
        server.ctl('reload', deadline=patience)
    sizes.append(server.resident_kib())
    for command in ('sessions', 'tunnels'):
        lines = server.ctl('show', command, deadline=patience).stdout.splitlines()
        expect(len(lines) > (SESSIONS if command == 'sessions' else tunnels), 'aditctl show %s prints %d lines' % (command, len(lines)))
    hold = int(server.call('io.adit.core.GetInfo').get('control', {}).get('longest-pass-us', 0)) / 1e3
    since = time.monotonic()
    server.stop(patience)
    print('    %d sessions in %d tunnels: resident %s KiB (up, listed twice, reloaded three times); a call beside the lists took %.1f ms at most, '
          'the longest pass for the lists %.1f ms; stopped in %.1f s' % (SESSIONS, tunnels, ' '.join(map(str, sizes)), max(longest), hold, time.monotonic() - since))
    poll(lambda: 'shared' not in srv.interfaces(), 'the interface is gone')


@case(limit=120)
def stop_ends_cleanly_whatever_is_still_said_goodbye_to(lab):
    """Clients that answer, clients that are unreachable (every limit passes), and a second SIGTERM at any moment: status 0, no
    sanitizer report, no interface left."""
    srv, cli = lab.namespace('srv'), lab.namespace('cli')
    lab.wire(srv, 'wire', cli, 'wire')
    srv.address('wire', '192.0.2.1/24')
    cli.address('wire', '192.0.2.2/24')
    for shared, deaf, again in ((False, False, None), (True, True, None), (False, True, 0.0), (True, False, 0.0), (True, True, 3.2), (False, True, 0.5)):
        tree = configs.server({'load%d' % n: 'pass' for n in range(300)}, profile={'interface': 'shared'} if shared else {},
                              l2tp={'max-starting': 'none', 'new-tunnel-rate': 100000, 'new-tunnel-burst': 100000})
        server = lab.adit(srv, configs.write(tree))
        clients = load(lab, cli, 300, '--per-tunnel', 10, user='load%u', password='pass', name='load-%s-%s-%s' % (shared, deaf, again))
        clients.expect_text('all-up', 30)
        if deaf:
            cli.run('ip', 'link', 'set', 'wire', 'down')
        server.process.signal(signal.SIGTERM)
        if again is not None:
            poll(lambda: 'stopping' in server.process.text(), 'it says that it stops')
            threading.Event().wait(again)  # nothing to wait for: another moment of the stop is the point
            server.process.signal(signal.SIGTERM)
        status = server.process.wait(30)
        expect(status == 0, 'stopped with status %d (shared %s, unreachable %s, told again after %s s)' % (status, shared, deaf, again))
        expect('with links open' not in server.process.text() and ' links open: closed them' not in server.process.text(), 'l2tp left links open')
        clients.kill()
        cli.run('ip', 'link', 'set', 'wire', 'up')
        poll(lambda: len(srv.tunnels()) == 0, 'no interface is left: %s' % srv.tunnels()[:5])
