# SPDX-License-Identifier: GPL-2.0-or-later
"""Who guesses passwords, and who does not: aaa.login-guard."""

import json
import time

import configs
from lab import expect, poll
from road import Road, load
from runner import case

USERS = {'alice': 'wonder-land', 'bob': 'builder'}
METHODS = ['pap', 'chap', 'mschap2']


def counters(server):
    return server.call('io.adit.aaa.GetCounters')['counters']


def tree(**aaa):
    config = configs.server(USERS, methods=METHODS)
    config['aaa'] = aaa
    return configs.write(config)


def login_time(lab, road, name, method, deadline=10):
    """Seconds that one login of bob takes, from a host of its own."""
    namespace = elsewhere(lab, road)
    started = time.monotonic()
    one = load(lab, namespace, 1, '--method', method, user='bob', password='builder', name=name)
    poll(lambda: 'all-up' in one.text(), 'a good login from elsewhere', deadline, 0.02)
    took = time.monotonic() - started
    failed = [json.loads(line)['failed'] for line in one.text().splitlines() if 'all-up' in line][0]
    expect(not failed, 'the good login was refused %d times' % failed)
    one.stop()
    return took


def elsewhere(lab, road):
    found = next((n for n in lab.namespaces if n.role == 'other'), None)
    if found:
        return found
    namespace = lab.namespace('other')
    lab.wire(namespace, 'wire', road.mid, 'to-other')
    namespace.address('wire', '203.0.113.2/24')
    road.mid.address('to-other', '203.0.113.254/24')
    namespace.run('ip', 'route', 'add', 'default', 'via', '203.0.113.254')
    return namespace


def attack(lab, road, server, name, method, user, seconds, meanwhile=None):
    """60 calls at once that guess for so long; returns how many guesses reached the source, and what `meanwhile` said."""
    before, started = counters(server), time.monotonic()
    guesser = load(lab, road.cli, 60, '--guess', '--method', method, user=user, password='guess%u', name=name)
    poll(lambda: counters(server)['failed'] > before['failed'], 'the first guess', 10)
    said = meanwhile() if meanwhile else None
    poll(lambda: time.monotonic() - started >= seconds, 'the end of the attack', seconds + 5, 0.1)
    after = counters(server)
    guesser.stop()
    expect(not server.sessions(), 'a guess was right')
    return {key: after[key] - before[key] for key in ('failed', 'refused', 'delayed', 'lockouts')}, said


def guesses_are_few(lab, method):
    """60 calls at once, with the guard and without; a good user elsewhere is served at once meanwhile."""
    road = Road(lab, watch=False)
    server = lab.adit(road.srv, tree(**{'login-guard': False}))
    bare, _ = attack(lab, road, server, 'bare', method, 'alice', 3)
    server.reload(tree())
    one, login = attack(lab, road, server, 'one', method, 'alice', 10, lambda: login_time(lab, road, 'good', method))
    many, second = attack(lab, road, server, 'many', method, 'user%u', 10, lambda: login_time(lab, road, 'good-too', method))
    print('%s: guesses that reached the source in a second: %.0f without the guard; %.1f at one user, %.1f at many users with it; '
          'a good login meanwhile took %.2f s and %.2f s' % (method, bare['failed'] / 3, one['failed'] / 10, many['failed'] / 10, login, second))
    expect(bare['failed'] > 150, 'the attack is none: %s' % bare)
    expect(one['failed'] <= 12 and one['refused'] > 0, 'too many guesses at one user: %s' % one)
    expect(many['failed'] <= 40 and many['refused'] > 0, 'too many guesses at many users: %s' % many)
    rows = server.list('io.adit.aaa.ListFailing', 'sources')
    expect([r for r in rows if r['source'] == '198.51.100.2' and r['failures'] > 0], 'the attacker is not shown: %s' % rows)
    expect(not [r for r in rows if r['source'].startswith('203.0.113') and r['failures']], 'the good user is: %s' % rows)
    lines = server.process.text().count('locked out there') + server.process.text().count('are locked out')
    expect(lines < 20, '%d lines about lockouts' % lines)
    server.stop()


@case
def guesses_by_pap_are_few(lab):
    guesses_are_few(lab, 'pap')


@case
def guesses_by_chap_are_few(lab):
    guesses_are_few(lab, 'chap')


@case
def guesses_by_mschap2_are_few(lab):
    guesses_are_few(lab, 'mschap2')


@case
def a_lockout_is_told_and_forgiven(lab):
    """The event, the row, the refusal in words, and the way out for an administrator; a stranger's name goes to none of the others."""
    road = Road(lab, watch=False)
    server = lab.adit(road.srv, tree(**{'login-failures': 5}))
    events = server.monitor()
    guesser = load(lab, road.cli, 5, '--guess', '--method', 'pap', user='alice', password='guess%u', name='guesser')
    lockout = events.expect('login-lockout', 30)
    guesser.stop()
    expect(lockout['source'] == '198.51.100.2' and lockout['user'] == 'alice', 'another lockout: %s' % lockout)
    shown = server.ctl('show', 'logins').stdout
    expect('198.51.100.2' in shown and 'locked' in shown, 'not shown: ' + shown)
    client = road.client()
    refused = events.expect('auth-done', 15, peer='198.51.100.2:1701')
    expect('locked out' in refused['reason'], 'refused for another reason: %s' % refused)
    server.ctl('forgive', '198.51.100.2')
    client.ctl('client', 'up', 'uplink')
    road.works(server, client)
    client.stop()
    server.stop()
