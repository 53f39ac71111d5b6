# SPDX-License-Identifier: GPL-2.0-or-later
"""Accounting of a bundle against FreeRADIUS: one session with several links has one Start and one Stop, and its octets are counted once."""

from lab import expect, poll
from radius_road import RadiusRoad
from road import INSIDE
from runner import case

PINGS, SIZE = 40, 1000


def has_links(road, server, links):
    return len(server.sessions()) == 1 and server.session('ann')['links'] == links


@case(limit=120)
def radius_counts_a_bundle_once(lab):
    """RFC 2866 5.11, 5.12: all records have the Acct-Multi-Session-Id and the number of links. Of three links Port-Limit allows two."""
    road = RadiusRoad(lab, {'ann': ('p', ['Port-Limit = 2', 'Acct-Interim-Interval = 0'])})
    server = road.nas(mrru=1600, profile={'max-links': 16}, aaa={'interim-update': '1s'})
    client = road.client('ann', 'p', mrru=1600, links=3)
    road.works(server, client, 'ann')
    poll(lambda: has_links(road, server, 2), 'two links of one session', 20)
    poll(lambda: 'the user may have 2 links (max-links, Port-Limit)' in server.process.text(), 'the third link is refused', 20)
    expect(has_links(road, server, 2), 'a third link: %s' % server.sessions())
    expect(road.cli.ping(INSIDE, count=PINGS, size=SIZE - 28, interval=0.05) == PINGS, 'pings are lost')
    client.stop()
    server.no_session()
    start, stop = road.free.record(Acct_Status_Type='Start', User_Name='ann'), road.free.record(Acct_Status_Type='Stop', User_Name='ann')
    for kind in ('Start', 'Stop'):
        found = road.free.records(Acct_Status_Type=kind, User_Name='ann')
        expect(len(found) == 1, '%d records of the kind %s: %s' % (len(found), kind, found))
    for name in ('Acct-Session-Id', 'Acct-Multi-Session-Id'):
        expect(start.get(name) and start[name] == stop.get(name), '%s of Start and Stop: %s, %s' % (name, start.get(name), stop.get(name)))
    expect(stop.get('Acct-Link-Count') == '2', 'the links of the Stop: %s' % stop)
    for name in ('Acct-Input-Octets', 'Acct-Output-Octets'):
        expect(PINGS * SIZE <= int(stop[name]) < PINGS * SIZE * 3 // 2, '%s is %s after %d pings of %d octets' % (name, stop[name], PINGS, SIZE))
    server.stop()


@case(limit=90)
def radius_users_have_the_smaller_number_of_links(lab):
    """The profile's max-links holds where it is smaller than Port-Limit; a user of one link has one session each."""
    road = RadiusRoad(lab, {'ann': ('p', ['Port-Limit = 8'])})
    server = road.nas(mrru=1600, profile={'max-links': 1})
    client = road.client('ann', 'p', mrru=1600, links=2)
    road.works(server, client, 'ann')
    poll(lambda: 'the user may have 1 links (max-links, Port-Limit)' in server.process.text(), 'the second link is refused', 20)
    expect(has_links(road, server, 1), 'a second link: %s' % server.sessions())
    client.stop()
    server.no_session()
    expect(road.free.record(Acct_Status_Type='Stop', User_Name='ann')['Acct-Session-Id'], 'no session in the Stop')
    server.stop()
