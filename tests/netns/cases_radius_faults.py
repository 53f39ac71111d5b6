# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that are dead, slow or lying: logins through the good one keep their pace, sessions that are up never notice."""

import json
import os

import configs
from lab import expect, poll
from radius_road import NOBODY, PROXY, PROXY_TOO, RADIUS, RadiusRoad, refused
from road import load
from runner import case

ANN = {'ann': ('wonder-land', [])}
MANY = {'l2tp': {'max-starting': 2000, 'new-tunnel-rate': 100000, 'new-tunnel-burst': 100000}, 'profile': {'interface': 'shared'}}
SECONDS = int(os.environ.get('ADIT_RADIUS_SECONDS', '5'))
QUICK = {'timeout': '300ms', 'tries': 2}


def crowd(n):
    return {'load%d' % i: ('p', []) for i in range(n)}


def dial(lab, road, sessions, *more, **words):
    return load(lab, road.cli, sessions, *more, user='load%u', password='p', **words)


def last_event(process, name):
    return next(json.loads(line) for line in reversed(process.text().splitlines()) if '"event": "%s"' % name in line)


def lies(lab, kind, gets_in, password='wonder-land', **fault):
    """A login whose answers are lies of that kind. Nothing is believed; the user gets in only when the truth comes after all."""
    road = RadiusRoad(lab, ANN)
    proxy = road.proxy()
    server = road.nas((PROXY,), more=QUICK, aaa={'accounting': False})
    events = server.monitor()
    proxy.auth(lie=kind, **fault)
    client = road.client('ann', password)
    if gets_in:
        road.works(server, client, 'ann')
    else:
        refused(events, 'ann')
        expect(not server.sessions(), 'a session stands on a lie')
    proxy.auth()
    client.reload(configs.write(configs.client('ann', 'wonder-land')))
    road.works(server, client, 'ann')
    client.stop()
    server.no_session()
    shown = server.ctl('--json', 'show', 'radius').stdout
    server.stop()
    return json.loads(shown), proxy.stats()


def numbers(value, key):
    """All values of that key, however deep."""
    if isinstance(value, dict):
        return [item for k, v in value.items() for item in ([v] if k == key else numbers(v, key))]
    return [item for v in value for item in numbers(v, key)] if isinstance(value, list) else []


@case
def radius_lie_wrong_authenticator(lab):
    shown, _ = lies(lab, 'authenticator', False)
    expect(sum(numbers(shown, 'bad-replies')) >= 1, 'bad replies are not counted: %s' % shown)


@case
def radius_lie_truncated(lab):
    lies(lab, 'truncated', False)


@case
def radius_lie_bit_flipped(lab):
    lies(lab, 'flipped', False)


@case
def radius_lie_without_signature(lab):
    """A good answer but for the Message-Authenticator is no answer."""
    shown, _ = lies(lab, 'unsigned', False)
    expect(sum(numbers(shown, 'bad-replies')) >= 1, 'bad replies are not counted: %s' % shown)


@case
def radius_lie_wrong_signature(lab):
    lies(lab, 'signature', False)


@case
def radius_lie_blast(lab):
    """BlastRADIUS (CVE-2024-3596): a reject turned into an accept, its Response Authenticator right."""
    _, stats = lies(lab, 'blast', False, password='not-that')
    expect(stats['lies'] >= 1 and stats.get('code 3', 0) >= 1, 'nothing was forged: %s' % stats)


@case
def radius_blast_works_where_it_is_allowed(lab):
    """The same with require-message-auth: no. This proves that the forgery is one, and that the log warns."""
    road = RadiusRoad(lab, ANN)
    proxy = road.proxy()
    server = road.nas((PROXY,), more=dict(QUICK, **{'require-message-auth': False}), methods=['pap'])
    poll(lambda: 'require-message-auth' in server.process.text(), 'a warning in the log')
    events = server.monitor()
    proxy.auth(lie='blast')
    client = road.client('ann', 'not-that')
    expect(events.expect('auth-done', user='ann')['cause'] == 0, 'the forgery was seen through without a signature')
    client.stop()
    server.stop()


@case
def radius_lies_before_the_truth(lab):
    """Somebody on the way who sends lies can't keep the truth out."""
    lies(lab, 'noise', True)


@case
def radius_answers_twice(lab):
    lies(lab, 'duplicate', True)


@case
def radius_answer_comes_late(lab):
    """After the last try, when nobody waits for it any more: dropped, counted, and no harm to the next login."""
    road = RadiusRoad(lab, ANN)
    proxy = road.proxy()
    server = road.nas((PROXY,), more={'timeout': '100ms', 'tries': 2})
    events = server.monitor()
    proxy.auth(delay=1.5)
    client = road.client('ann', 'wonder-land')
    refused(events, 'ann')
    proxy.auth()
    road.works(server, client, 'ann')
    poll(lambda: proxy.stats()['delivered'] >= proxy.stats()['answers'], 'the late answer has come')
    client.stop()
    server.no_session()
    server.stop()


@case
def radius_slow_server(lab):
    """Answers after 3 s, of requests that are sent again meanwhile: one request for the server, one login."""
    road = RadiusRoad(lab, ANN)
    proxy = road.proxy()
    server = road.nas((PROXY,), more={'timeout': '1100ms', 'tries': 5})
    proxy.auth(delay=3)
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    stats = proxy.stats()
    expect(stats['resent'] >= 1 and stats['requests'] - stats['resent'] == 1, 'not the same request again: %s' % stats)
    client.stop()
    server.no_session()
    server.stop()


@case(limit=90)
def radius_one_dead_of_two(lab):
    """The first server is dead: few logins wait for it, the rest go to the second at once; a session that is up never notices."""
    road = RadiusRoad(lab, dict(ANN, **crowd(300)))
    proxy, good = road.proxy(PROXY), road.proxy(PROXY_TOO)
    server = road.nas((PROXY, PROXY_TOO), more=dict(QUICK, **{'dead-after': 2, 'dead-time': '60s'}), **MANY)
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    proxy.both(dead=True)
    first = dial(lab, road, 20, '--per-tunnel', 20)
    first.expect_text('all-up', 20)
    crowded = dial(lab, road, 200, '--per-tunnel', 50, '--rate', 100, name='crowd')
    crowded.expect_text('all-up', 30)
    told = last_event(crowded, 'all-up')
    print('    200 logins with a dead server before the good one: %.1f s, slowest %.2f s' % (told['seconds'], told['slowest']))
    expect(told['failed'] == 0 and told['seconds'] < 8 and told['slowest'] < 2, 'logins were slowed: %s' % told)
    expect(good.stats()['requests'] >= 220, 'the good server was not asked: %s' % good.stats())
    road.cli.expect_ping('10.64.0.1', 'the session that was up')
    for process in (first, crowded):
        process.stop()
    client.stop()
    server.no_session()
    server.stop()


@case(limit=90)
def radius_all_dead_and_back(lab):
    """Nobody gets in, sessions stay, and the first login after their return works."""
    road = RadiusRoad(lab, dict(ANN, bob=('builder', [])))
    proxy, other = road.proxy(PROXY), road.proxy(PROXY_TOO)
    server = road.nas((PROXY, PROXY_TOO), more=dict(QUICK, **{'dead-after': 1, 'dead-time': '2s'}))
    events = server.monitor()
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    for each in (proxy, other):
        each.both(dead=True)
    bob = road.client('bob', 'builder', 'bob')
    refused(events, 'bob')
    road.cli.expect_ping('10.64.0.1', 'the session that was up')
    other.both()
    server.session('bob', 30)
    for each in (client, bob):
        each.stop()
    server.no_session()
    server.stop()


@case
def radius_server_whose_port_is_closed(lab):
    """ICMP port unreachable, no route: the next server is asked."""
    road = RadiusRoad(lab, ANN)
    server = road.nas(({'address': RADIUS, 'authentication-port': 1}, {'address': NOBODY}, {'address': RADIUS, 'name': 'good'}), more=QUICK)
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    client.stop()
    server.no_session()
    server.stop()


@case
def radius_accounting_outage_delays_no_login(lab):
    road = RadiusRoad(lab, crowd(200))
    proxy = road.proxy()
    server = road.nas((PROXY,), more=QUICK, **MANY)
    proxy.acct(dead=True)
    clients = dial(lab, road, 200, '--per-tunnel', 50, '--rate', 100)
    clients.expect_text('all-up', 20)
    told = last_event(clients, 'all-up')
    expect(told['failed'] == 0 and told['slowest'] < 1, 'logins were slowed: %s' % told)
    proxy.acct()
    poll(lambda: len({r['Acct-Session-Id'] for r in road.free.records(Acct_Status_Type='Start')}) == 200, 'all Starts come after all', 20, 0.3)
    clients.stop()
    server.no_session()
    server.stop()


@case
def radius_requests_that_are_dropped_by_half(lab):
    """A bad network: half of all requests and a third of all answers are lost; everybody gets in, each record comes."""
    road = RadiusRoad(lab, crowd(40))
    proxy = road.proxy()
    server = road.nas((PROXY,), more={'timeout': '200ms', 'tries': 10}, **MANY)
    proxy.auth(dead=True, share=0.5)
    proxy.acct(deaf=True, share=0.5)
    clients = dial(lab, road, 40, '--per-tunnel', 10)
    clients.expect_text('all-up', 30)
    clients.stop()
    server.no_session()
    poll(lambda: len({r['Acct-Session-Id'] for r in road.free.records(Acct_Status_Type='Stop')}) == 40, 'all Stops', 20, 0.3)
    server.stop()


@case(limit=60 + 2 * SECONDS)
def radius_two_hundred_logins_a_second(lab):
    """For five seconds, or ADIT_RADIUS_SECONDS, with a server that takes 50 ms for an answer."""
    n, rate = SECONDS * 200, 200
    if lab.plain:
        lab.use(lab.plain)
    road = RadiusRoad(lab, crowd(n), watch=False)
    proxy = road.proxy()
    proxy.both(delay=0.05)
    server = road.nas((PROXY,), **MANY)
    before = server.cpu_seconds()
    clients = dial(lab, road, n, '--per-tunnel', 100, '--rate', rate)
    clients.expect_text('all-up', SECONDS + 20)
    told = last_event(clients, 'all-up')
    print('    %d logins in %.1f s (%.0f a second), slowest %.2f s, %d failed; %.2f CPU-seconds of ours' %
          (n, told['seconds'], n / told['seconds'], told['slowest'], told['failed'], server.cpu_seconds() - before))
    expect(told['failed'] == 0, '%d logins failed' % told['failed'])
    expect(told['seconds'] < SECONDS * 1.1 + 1, 'it took %.1f s' % told['seconds'])
    poll(lambda: len(server.sessions()) == n, 'all %d sessions are up' % n, 30, 0.5)
    clients.kill()
    server.kill()
