# SPDX-License-Identifier: GPL-2.0-or-later
"""Each attribute that adit sends, as FreeRADIUS has read it: in Access-Requests and in accounting's records.

tests/unit/radius/attributes demands that each one that the plugin may send is in a case."""

import configs
from lab import expect, poll
from radius_road import NAS, RADIUS, RadiusRoad, differences
from road import CLIENT, INSIDE, SERVER, load
from runner import case

REALM = {'address': RADIUS, 'realm': 'isp.example'}
# The proof of each method: attributes, and how FreeRADIUS's detail file has them begin.
PROOFS = {
    'pap': {'User-Password': ('p', 1)},
    'chap': {'CHAP-Password': ('0x', 2 + 2 * 17), 'CHAP-Challenge': ('0x', None)},
    'mschap1': {'MS-CHAP-Challenge': ('0x', 2 + 2 * 8), 'MS-CHAP-Response': ('0x', 2 + 2 * 50)},
    'mschap2': {'MS-CHAP-Challenge': ('0x', 2 + 2 * 16), 'MS-CHAP2-Response': ('0x', 2 + 2 * 50)},
}


def who(session, user, **more):
    """What all requests for a session have, as RouterOS does, and RFC 2868's; None: it is not there."""
    link = session['link']
    return dict({'User-Name': user, 'Service-Type': 'Framed-User', 'Framed-Protocol': 'PPP', 'NAS-Identifier': 'edge-1', 'NAS-IP-Address': NAS,
                 'NAS-Port': str(session['port']), 'NAS-Port-Type': 'Virtual', 'NAS-Port-Id': None, 'Acct-Session-Id': session['accounting-id'],
                 'Calling-Station-Id': CLIENT, 'Called-Station-Id': SERVER, 'Tunnel-Type:0': 'L2TP', 'Tunnel-Medium-Type:0': 'IPv4',
                 'Tunnel-Client-Endpoint:0': CLIENT, 'Tunnel-Server-Endpoint:0': SERVER, 'Tunnel-Client-Auth-Id:0': link['tunnel-peer-name'],
                 'Tunnel-Server-Auth-Id:0': link['tunnel-name']}, **more)


@case
def radius_requests_have_every_attribute(lab):
    """RouterOS's list, RFC 2868's and Connect-Info; the domain of a name in either form, a realm of the server's own; each method's proof."""
    road = RadiusRoad(lab, {name: ('p', []) for name in ('ann@example.net', 'HOME\\bob', 'carl', 'dora')}, keep_requests=True)
    options = {'radius': {'nas-identifier': 'edge-1'}}
    server = road.nas(**options)
    client = road.client('ann@example.net', 'p', **{'tx-speed': '20M'})
    bob, dora = road.client('HOME\\bob', 'p', 'bob'), load(lab, road.cli, 1, '--group', 'red', user='dora', password='p', name='load-dora')
    road.works(server, client, 'ann@example.net')
    shown = road.describe(server, 'ann@example.net')
    request = road.free.requests(User_Name='ann@example.net')[0]
    wanted = who(shown, 'ann@example.net', **{'Connect-Info': '20000000 L2TP', 'MS-CHAP-Domain': '\\000example.net', 'Mikrotik-Realm': 'example.net'})
    expect(not differences(request, wanted), 'the request: %s: %s' % (differences(request, wanted), request))
    server.session('HOME\\bob')
    shown = road.describe(server, 'HOME\\bob')
    request = road.free.requests(Acct_Session_Id=shown['accounting-id'])[0]
    caller = {name: shown['peer'].rsplit(':', 1)[0] for name in ('Calling-Station-Id', 'Tunnel-Client-Endpoint:0')}
    wanted = who(shown, 'HOME\\\\bob', **{'MS-CHAP-Domain': '\\000HOME', 'Mikrotik-Realm': 'HOME', 'Tunnel-Private-Group-Id:0': None, **caller})
    expect(not differences(request, wanted), 'the request: %s: %s' % (differences(request, wanted), request))
    server.session('dora')
    shown = road.describe(server, 'dora')
    request = road.free.requests(Acct_Session_Id=shown['accounting-id'])[0]
    wanted = who(shown, 'dora', **{'Connect-Info': '100000000 L2TP', 'MS-CHAP-Domain': None, 'Mikrotik-Realm': None, 'Tunnel-Private-Group-Id:0': 'red'})
    expect(not differences(request, wanted), 'the request: %s: %s' % (differences(request, wanted), request))
    for other in (client, bob, dora):
        other.stop()
    client.configure(configs.write(configs.client('carl', 'p')))
    for method, proofs in PROOFS.items():
        server.no_session()
        server.reload(configs.write(road.tree((REALM,), methods=[method], **options)))
        client.start()
        server.session('carl')
        shown = road.describe(server, 'carl')
        request = road.free.requests(Acct_Session_Id=shown['accounting-id'])[0]
        wanted = who(shown, 'carl', **{'MS-CHAP-Domain': None, 'Mikrotik-Realm': 'isp.example', 'Connect-Info': '1000000000 L2TP'})
        wanted.update((name, None) for other in PROOFS.values() for name in other if name not in proofs)
        expect(not differences(request, wanted), '%s: %s' % (method, differences(request, wanted)))
        for name, (begin, length) in proofs.items():
            value = request.get(name, '')
            expect(value.startswith(begin) and length in (None, len(value)), '%s: %s is %s' % (method, name, value))
        client.stop()
    server.stop()
    expect(not road.radius_sent('radius.code == 1 && !radius.Message_Authenticator'), 'a request that is not signed')


@case
def radius_accounting_has_every_attribute(lab):
    """RFC 2866, 2867, 2869: what the request had, and what there is to say since; each in Start, Interim-Update and Stop as it belongs."""
    given = ['Framed-IP-Address = 10.77.0.9', 'Framed-Interface-Id = 0:0:0:7', 'Framed-IPv6-Prefix = 2001:db8:a::/64', 'Delegated-IPv6-Prefix = 2001:db8:b::/56',
             'Class = 0x01', 'Class += 0x0203', 'Chargeable-User-Identity = 0x6300']
    road = RadiusRoad(lab, {'ann@example.net': ('p', given), 'bob': ('p', [])})
    server = road.nas(aaa={'interim-update': '1s'}, radius={'nas-identifier': 'edge-1'})
    on = road.free.record(Acct_Status_Type='Accounting-On')
    expect(not differences(on, {'NAS-Identifier': 'edge-1', 'NAS-IP-Address': NAS, 'User-Name': None}) and 'Acct-Session-Id' in on, 'Accounting-On: %s' % on)
    client = road.client('ann@example.net', 'p')
    bob = load(lab, road.cli, 1, '--group', 'red', user='bob', password='p', name='load-bob')
    road.works(server, client, 'ann@example.net')
    shown = road.describe(server, 'ann@example.net')
    wanted = who(shown, 'ann@example.net', **{
        'MS-CHAP-Domain': '\\000example.net', 'Mikrotik-Realm': 'example.net', 'Connect-Info': '1000000000 L2TP', 'Acct-Authentic': 'RADIUS', 'Acct-Delay-Time': '0',
        'Class': ['0x01', '0x0203'], 'Chargeable-User-Identity': '0x6300', 'Framed-IP-Address': '10.77.0.9', 'Framed-Interface-Id': '0:0:0:7',
        'Framed-IPv6-Prefix': '2001:db8:a::/64', 'Delegated-IPv6-Prefix': '2001:db8:b::/56', 'Tunnel-Assignment-Id:0': str(shown['link']['tunnel-id']),
        'Acct-Tunnel-Connection': str(shown['link']['call-serial-number']), 'Acct-Multi-Session-Id': None, 'Acct-Link-Count': None})
    road.cli.run('ping', '-n', '-q', '-c', '2', '-i', '0.1', '-s', '972', INSIDE)
    ann = {'User_Name': 'ann@example.net'}
    interim = poll(lambda: [r for r in road.free.records(Acct_Status_Type='Interim-Update', **ann) if int(r['Acct-Input-Octets']) >= 2000], 'an interim record', 10)[0]
    server.session('bob')
    group = road.free.record(Acct_Status_Type='Start', User_Name='bob')
    for other in (client, bob):
        other.stop()
    server.no_session()
    start, stop = road.free.record(Acct_Status_Type='Start', **ann), road.free.record(Acct_Status_Type='Stop', **ann)
    first = road.free.records(Acct_Status_Type='Interim-Update', **ann)[0]
    for record in (start, first, interim, stop):
        expect(not differences(record, wanted) and record['Event-Timestamp'], '%s: %s: %s' % (record['Acct-Status-Type'], differences(record, wanted), record))
    traffic = ('Acct-Session-Time', 'Acct-Input-Octets', 'Acct-Output-Octets', 'Acct-Input-Packets', 'Acct-Output-Packets', 'Acct-Input-Gigawords', 'Acct-Output-Gigawords')
    expect(not [name for name in traffic if name in start], 'traffic in the Start: %s' % start)
    for record in (interim, stop):
        expect(record['Acct-Input-Gigawords'] == record['Acct-Output-Gigawords'] == '0' and not [name for name in traffic if name not in record], '%s' % record)
        expect(int(record['Acct-Input-Octets']) >= 2000 and int(record['Acct-Output-Octets']) >= 2000 and int(record['Acct-Input-Packets']) >= 2
               and int(record['Acct-Output-Packets']) >= 2 and int(record['Acct-Session-Time']) <= 60, 'the traffic: %s' % record)
    expect('Acct-Terminate-Cause' not in interim and stop['Acct-Terminate-Cause'] == 'User-Request', 'why it ended: %s' % stop)
    expect(group['Tunnel-Private-Group-Id:0'] == 'red', 'the group: %s' % group)
    server.stop()
