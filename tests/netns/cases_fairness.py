# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger takes all that can be had without a password; prints how many new clients succeed meanwhile.

ADIT_FAIRNESS=long measures with 20 logins each, full sizes and the whole matrix of floods; without it this takes a minute."""

import json
import os
import time

import configs
from lab import expect, poll
from road import SERVER, SERVER6, Road
from runner import case

LONG = os.environ.get('ADIT_FAIRNESS') == 'long'
LOGINS = 20 if LONG else 6
IN_TIME = 5.0  # seconds that a login may take to be counted
NEVER = 25.0   # later than that it is a failure


def tool(lab, name):
    return os.path.join(lab.build, 'tests', name)


class Siege:
    """A server with users, a client's namespace, and one for the stranger: at 203.0.113.9, and at every address of 2001:db8:3::/48."""

    def __init__(self, lab, round_trip=0, ipv6=False, **limits):
        self.lab, self.to = lab, SERVER6 if ipv6 else SERVER
        if lab.plain:
            lab.use(lab.plain)
        self.road = road = Road(lab, watch=False)
        self.far = lab.namespace('far')
        lab.wire(self.far, 'wire', road.mid, 'to-far')
        self.far.address('wire', '203.0.113.9/24')
        road.mid.address('to-far', '203.0.113.254/24')
        self.far.run('ip', 'route', 'add', 'default', 'via', '203.0.113.254')
        self.far.address('wire', '2001:db8:33::1/64')
        road.mid.address('to-far', '2001:db8:33::ffff/64')
        self.far.run('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:33::ffff')
        self.far.sysctl('net.ipv6.ip_nonlocal_bind', 1)
        self.far.run('ip', '-6', 'route', 'add', 'local', '2001:db8:3::/48', 'dev', 'lo')
        road.mid.run('ip', '-6', 'route', 'add', '2001:db8:3::/48', 'via', '2001:db8:33::1')
        road.mid.run('ip', 'route', 'add', 'blackhole', '172.16.0.0/12')
        for namespace in (road.srv, road.mid):
            namespace.sysctl('net.ipv4.conf.all.rp_filter', 0)
        users = {'user%d' % n: 'pass' for n in range(2 * LOGINS)}
        self.server = lab.adit(road.srv, configs.write(configs.server(users, self.to, l2tp=limits or None)), name='server')
        self.relay = None
        if round_trip:
            self.relay = road.cli.start('delay', tool(lab, 'netns/delay'), '--listen', '127.0.0.1:1701', '--to', SERVER + ':1701', '--round-trip', round_trip)
            self.relay.expect_text('ready')
        self.memory, self.log = self.server.resident_kib(), self.log_octets()
        self.first_user = 0

    def log_octets(self):
        return os.path.getsize(self.server.process.log_path)

    def stats(self):
        return self.server.call('io.adit.l2tp.GetStats')['stats']

    def stranger(self, *args):
        return self.far.start('stranger', tool(self.lab, 'netns/stranger'), '--to', self.to, '--seconds', 600, *args)

    def flood(self, rate):
        return self.road.mid.start('flood', tool(self.lab, 'netns/flood'), '--to', SERVER, '--source', '172.16.0.0/12', '--kind', 'requests', '--rate', rate, '--count', rate * 600)

    def wait(self, stranger, condition, what, deadline, interval=0.05):
        """Until the stranger has achieved that."""
        poll(lambda: condition(self.stats()) or not stranger.running(), what, deadline, interval)
        expect(stranger.running(), 'the stranger ended: ' + stranger.text())

    def login(self, number):
        return self.road.cli.start('login%d' % number, tool(self.lab, 'bench/load'), '--to', '127.0.0.1' if self.relay else self.to, '--sessions', 1,
                                   '--user', 'user%d' % number, '--password', 'pass', '--redial')

    def measure(self, what):
        """Fresh clients, a few a second: how many are in within five seconds. All must be in at last."""
        cpu = self.server.cpu_seconds()
        clients = []
        for number in range(self.first_user, self.first_user + LOGINS):
            clients.append(self.login(number))
            begun = time.monotonic()
            poll(lambda: time.monotonic() - begun >= 0.25 or 'all-up' in clients[-1].text(), 'a moment', 1, 0.02)
        self.first_user += LOGINS
        end = time.monotonic() + NEVER
        poll(lambda: all('all-up' in c.text() for c in clients) or time.monotonic() > end, 'the logins', NEVER + 5, 0.05)
        times = [next((json.loads(line)['seconds'] for line in c.text().splitlines() if 'all-up' in line), NEVER) for c in clients]
        in_time = sum(t <= IN_TIME for t in times)
        print('    %s: %d of %d logins within %.0f s (slowest %.1f s); server: %d KiB before, %d KiB now, %.1f s CPU, %d KiB of log' % (
            what, in_time, LOGINS, IN_TIME, max(times), self.memory, self.server.resident_kib(), self.server.cpu_seconds() - cpu, (self.log_octets() - self.log) // 1024), flush=True)
        for client in clients:
            client.stop()
        expect(max(times) < NEVER, '%s: %d of %d clients never got in' % (what, sum(t >= NEVER for t in times), LOGINS))
        expect(self.server.process.running(), 'the server is gone')
        return in_time

    def end(self, stranger):
        expect(stranger.running(), 'the stranger was over too early:\n' + stranger.text())
        stranger.stop()
        expect(self.log_octets() - self.log < 512 << 10, 'the stranger wrote %d octets of log' % (self.log_octets() - self.log))
        self.server.stop(60)


def silent_calls(lab, tunnels, calls):
    siege = Siege(lab)
    stranger = siege.stranger('--tunnels', tunnels, '--calls', calls)
    siege.wait(stranger, lambda stats: stats['starting'] >= 1000, 'all calls that may start are taken', 30)
    siege.measure('%d tunnels with %d silent calls each' % (tunnels, calls))
    expect(siege.stats()['starting'] <= 1000, 'more start than may: %s' % siege.stats())
    siege.end(stranger)


@case(limit=120, alone=True)
def fairness_calls_that_never_speak(lab):
    silent_calls(lab, 8, 150)


@case(limit=120, alone=True)
def fairness_calls_spread_over_tunnels(lab):
    silent_calls(lab, 100, 300)


def tunnels_taken(lab, most, more, what, *args, **siege):
    siege = Siege(lab, **siege, **{'max-tunnels': most})
    stranger = siege.stranger('--tunnels', most + more, *args)
    siege.wait(stranger, lambda stats: stats['tunnels'] >= most, 'all tunnels are taken', 90, 0.2)
    in_time = siege.measure('%d complete tunnels of %s' % (most, what))
    expect(in_time * 2 > LOGINS, 'most wait until a stranger leaves a place')
    expect(siege.stats()['tunnels'] <= most, 'more tunnels than may be: %s' % siege.stats())
    siege.end(stranger)


@case(limit=240, alone=True)
def fairness_all_tunnels_taken(lab):
    tunnels_taken(lab, 60000 if LONG else 3000, 500, 'one address', '--ports', 64, '--rate', 6000)


# One tunnel of each address, so that only the network as a whole is greedy; the clients are in another /48.


@case(limit=120, alone=True)
def fairness_ipv6_addresses_of_one_64(lab):
    tunnels_taken(lab, 900, 60, '900 addresses of one /64', '--from', '2001:db8:3:1::1/128', '--ports', 960, ipv6=True)


@case(limit=120, alone=True)
def fairness_ipv6_networks_of_one_48(lab):
    tunnels_taken(lab, 900, 60, '900 /64 of one /48', '--from', '2001:db8:3:1::1/64', '--ports', 960, ipv6=True)


@case(limit=120, alone=True)
def fairness_parked_messages(lab):
    tunnels = 2000 if LONG else 500
    siege = Siege(lab)
    stranger = siege.stranger('--tunnels', tunnels, '--ports', 8, '--park', 15)
    siege.wait(stranger, lambda stats: stats['tunnels'] >= tunnels, 'the tunnels are there', 30)
    siege.measure('%d tunnels with 15 messages of 4062 octets ahead of their turn each' % tunnels)
    if not lab.sanitized():
        each = (siege.server.resident_kib() - siege.memory) / tunnels
        print('    %.1f KiB a tunnel' % each)
        expect(each < (6 if LONG else 12), '%.1f KiB a tunnel' % each)  # with few tunnels what the logins need counts
    siege.end(stranger)


@case(limit=120, alone=True)
def fairness_guessed_passwords(lab):
    """60 calls at once with wrong passwords, redialled: fresh clients get in, and the log stays short."""
    siege = Siege(lab)
    guesses = siege.far.start('guesses', tool(lab, 'bench/load'), '--to', SERVER, '--sessions', 60, '--per-tunnel', 1, '--user', 'user%u', '--password', 'guess', '--redial')
    begun = time.monotonic()
    siege.server.monitor().expect('auth-done', 20)
    siege.measure('60 calls at once that guess passwords')
    poll(lambda: guesses.text().count('authentication failed') >= 300, 'many guesses', 60, 0.5)
    lines = [line for line in siege.server.process.text().splitlines() if 'refused' in line or 'link closed' in line or 'link lost' in line]
    print('    %d lines of refused logins and closed links' % len(lines))
    expect(len(lines) < 2 * 55 + 2 * 5 * (time.monotonic() - begun + 1), '%d lines' % len(lines))  # of each kind 50 at once, and five a second
    siege.end(guesses)


def flooded(lab, rate, round_trip):
    siege = Siege(lab, round_trip)
    flood = siege.flood(rate)
    siege.wait(flood, lambda stats: stats['evicted'], 'half-open tunnels are full', 60)
    siege.measure('%d forged requests a second, round trip %d ms' % (rate, round_trip))
    siege.end(flood)


@case(limit=120, alone=True)
def fairness_flood_of_requests(lab):
    flooded(lab, 10000, 80)


if LONG:
    for _rate in (2000, 10000, 40000):
        for _round_trip in (2, 20, 80):
            def _flood(lab, rate=_rate, round_trip=_round_trip):
                flooded(lab, rate, round_trip)
            _flood.__name__ = 'fairness_flood_%d_at_%dms' % (_rate, _round_trip)
            case(limit=180, alone=True)(_flood)
