# SPDX-License-Identifier: GPL-2.0-or-later
"""No accounting record is lost: the server away for a while, the daemon killed twice, once between the server's receipt and our note of it."""

import collections
import json
import os
import signal

from lab import expect, poll
from radius_road import PROXY, RadiusRoad
from road import load
from runner import case

SESSIONS = int(os.environ.get('ADIT_RADIUS_SESSIONS', '1000'))
PINGS, SIZE = 10, 200
MAY_DIFFER = ('Acct-Delay-Time', 'Event-Timestamp', 'Timestamp')  # the last is FreeRADIUS's own


def distinct(records):
    """The records without their repeats, and how many repeats there were of each kind."""
    seen, repeats = {}, collections.Counter()
    for record in records:
        key = json.dumps({k: v for k, v in record.items() if k not in MAY_DIFFER}, sort_keys=True)
        if key in seen:
            repeats[record['Acct-Status-Type']] += 1
        seen.setdefault(key, record)
    return list(seen.values()), repeats


def judge(records, known, octets_of_all):
    """Every session that was seen has one Start and one Stop; interim records stand between them and grow."""
    once, repeats = distinct(records)
    kinds = collections.defaultdict(lambda: collections.defaultdict(list))
    for record in once:
        kinds[record['Acct-Session-Id']][record['Acct-Status-Type']].append(record)
    starts = {i for i, k in kinds.items() if k['Start']}
    print('    %d sessions, %d records, %d of them repeats: %s' % (len(starts), len(records), sum(repeats.values()), dict(repeats)))
    expect(known <= starts, '%d sessions have no Start, %s' % (len(known - starts), sorted(known - starts)[:3]))
    for identifier in starts:
        k = kinds[identifier]
        expect(len(k['Start']) == 1 and len(k['Stop']) == 1, '%s has %d Starts and %d Stops' % (identifier, len(k['Start']), len(k['Stop'])))
        stop, last = k['Stop'][0], max(k['Interim-Update'], key=lambda r: int(r['Acct-Session-Time']), default=None)
        times = [r['Acct-Session-Time'] for r in k['Interim-Update']]
        expect(len(times) == len(set(times)), '%s has two interim records of one moment that differ' % identifier)
        if last:
            expect(int(stop['Acct-Session-Time']) >= int(last['Acct-Session-Time']) and int(stop['Acct-Input-Octets']) >= int(last['Acct-Input-Octets']),
                   'the Stop of %s is behind its last interim record' % identifier)
        for which in ('Acct-Input-Octets', 'Acct-Output-Octets'):
            expect(int(stop[which]) == octets_of_all, '%s of %s is %s, not %d' % (which, identifier, stop[which], octets_of_all))
    return kinds


def spool(server, key):
    return server.call('io.adit.radius.GetAccounting')['accounting'][key]


@case(limit=300, alone=True)
def radius_accounting_loses_nothing(lab):
    """ADIT_RADIUS_SESSIONS: how many; a fifth of them end by themselves while the answers are held."""
    if lab.plain:
        lab.use(lab.plain)
    few = SESSIONS // 5
    users = {'load%d' % n: ('p', ['Class = 0x%08x' % n]) for n in range(SESSIONS - few)}
    users.update({'other%d' % n: ('p', ['Class = 0x%08x' % (n + 65536)]) for n in range(few)})
    road = RadiusRoad(lab, users, watch=False)
    proxy = road.proxy()
    server = road.nas((PROXY,), more={'timeout': '300ms', 'tries': 3, 'dead-time': '1s'}, aaa={'interim-update': '3s'}, profile={'interface': 'shared'},
                      l2tp={'max-starting': 2000, 'new-tunnel-rate': 100000, 'new-tunnel-burst': 100000})
    traffic = ('--pings', PINGS, '--ping-size', SIZE, '--ping-every', '0.2', '--redial', '--hello', '1', '--per-tunnel', '50')
    crowds = [load(lab, road.cli, SESSIONS - few, *traffic, user='load%u', password='p', name='crowd'),
              load(lab, road.cli, few, *traffic, user='other%u', password='p', name='few')]
    known = set()

    def everybody(times, who=crowds, wanted=SESSIONS):
        """All are up for so many-th time, have sent what they send, and an interim record of after that is made."""
        for process in who:
            poll(lambda p=process: p.text().count('"all-up"') >= times, '%s is up, %d' % (process.name, times), 90, 0.3)
        sessions = poll(lambda: len(server.sessions()) == wanted and server.sessions(), 'all sessions are up', 20, 0.3)
        for process in who:
            process.signal(signal.SIGUSR1)
            poll(lambda p=process: p.text().count('"pinged"') >= times, '%s has pinged, %d' % (process.name, times), 30, 0.3)
        ids = {server.call('io.adit.session.GetSession', id=s['id'])['session']['accounting-id'] for s in sessions}
        known.update(ids)
        return ids

    def counted(ids):
        """The spool or FreeRADIUS has a record of each with all its octets: two periods have passed since the last ping."""
        before = spool(server, 'stored')
        poll(lambda: spool(server, 'stored') >= before + 2 * len(ids), 'two more interim records of each', 30, 0.3)

    first = everybody(1)
    poll(lambda: len({r['Acct-Session-Id'] for r in road.free.records(Acct_Status_Type='Start')}) >= SESSIONS, 'all Starts', 20, 0.5)
    road.free.kill()
    counted(first)
    server.kill()  # the first time: what FreeRADIUS has not is on disk
    server.start()
    poll(lambda: spool(server, 'recovered') == SESSIONS, 'a Stop for each session that died', 20, 0.3)
    road.free.start()
    second = everybody(2)
    expect(not first & second, 'an Acct-Session-Id was given twice')
    counted(second)
    proxy.acct(hold=True)
    crowds[1].stop()
    poll(lambda: len([r for r in road.free.records(Acct_Status_Type='Stop') if r['User-Name'].startswith('other') and r['Acct-Session-Id'] in second]) >= few // 4,
         'FreeRADIUS has Stops that adit does not know it has', 30, 0.3)
    server.kill()  # the second time: between receipt and note
    held = proxy.forget()['acct']
    proxy.acct()
    server.start()
    everybody(3, crowds[:1], SESSIONS - few)
    crowds[0].stop()
    server.no_session(30)
    poll(lambda: spool(server, 'records') == 0, 'the spool is empty', 60, 0.5)
    server.stop(60)
    print('    %d answers were held when the daemon was killed' % held['held'])
    records = [r for r in road.free.records() if r['Acct-Status-Type'] in ('Start', 'Interim-Update', 'Stop')]
    kinds = judge(records, known, PINGS * SIZE)
    died = [k['Stop'][0] for i, k in kinds.items() if i in first]
    expect({r['Acct-Terminate-Cause'] for r in died} == {'NAS-Reboot'}, 'sessions that died with the daemon ended by %s' % {r['Acct-Terminate-Cause'] for r in died})
    expect(len(records) > len(distinct(records)[0]), 'nothing was repeated: the kill was not where it was meant to be')
