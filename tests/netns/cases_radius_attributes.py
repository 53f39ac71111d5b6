# SPDX-License-Identifier: GPL-2.0-or-later
"""Each attribute that a server may give: in effect where the core acts on it, in `show session` where others will, in the log where nobody can.

tests/unit/radius/attributes demands a case of every row of plugins-auth/radius/reply/reply-table.c."""

import signal
import time

import configs
from lab import expect, poll
from radius_road import RadiusRoad, differences, refused
from road import SERVER, load
from runner import case

GIB4 = 2**32
HONOURED = 'attributes for user '


def date(seconds):
    """WISPr's form of a time so far from now."""
    return time.strftime('%Y-%m-%dT%H:%M:%S+00:00', time.gmtime(time.time() + seconds))


def complaints(server, user):
    """The lines of the log on attributes of `user` without effect."""
    return [line for line in server.process.text().splitlines() if HONOURED in line and 'user %s ignored' % user in line]


# user: what FreeRADIUS gives, and what `show session` has of it. Framed by MS-CHAPv2, for which its module adds keys.
SHOWN = {
    'limits': (['Mikrotik-Recv-Limit = 1', 'Mikrotik-Recv-Limit-Gigawords = 1', 'Mikrotik-Xmit-Limit = 2', 'Mikrotik-Xmit-Limit-Gigawords = 2',
                'Mikrotik-Total-Limit = 3', 'Mikrotik-Total-Limit-Gigawords = 3'],
               {'limit-bytes-in': str(GIB4 + 1), 'limit-bytes-out': str(2 * GIB4 + 2), 'limit-bytes-total': str(3 * GIB4 + 3)}),
    'gigawords': (['Mikrotik-Total-Limit-Gigawords = 1'], {'limit-bytes-total': '4GiB', 'limit-bytes-in': None}),
    'filters': (['Filter-Id = "one"', 'Filter-Id += "two"', 'Filter-Id += "first.in"', 'Filter-Id += "last.in"', 'Filter-Id += "only.out"'],
                {'filter': ['one', 'two'], 'incoming-filter': 'last', 'outgoing-filter': 'only'}),
    'lists': (['Mikrotik-Address-List = "good"', 'Mikrotik-Address-List += "better"', 'Class = 0x00ff', 'Class += 0x01', 'Class += 0x02', 'Mikrotik-Mark-Id = "m1"'],
              {'address-list': ['good', 'better'], 'class': ['0x00ff', '0x01', '0x02'], 'mark': 'm1'}),
    'least': (['WISPr-Bandwidth-Min-Up = 1000', 'WISPr-Bandwidth-Min-Down = 2000', 'WISPr-Bandwidth-Max-Up = 3000', 'WISPr-Bandwidth-Max-Down = 4000'],
              {'rate-limit': '3000/4000 0/0 0/0 0/0 8 1000/2000'}),
    'one-rate': (['Ascend-Data-Rate = 1000'], {'rate-limit': '0/1000'}),
    'two-rates': (['Ascend-Data-Rate = 1000', 'Ascend-Data-Rate += 2000'], {'rate-limit': '2000/1000'}),
    'xmit-rate': (['Ascend-Data-Rate = 1000', 'Ascend-Xmit-Rate = 3000'], {'rate-limit': '1000/3000'}),
    'pools': (['Framed-IPv6-Pool = "six"', 'Delegated-IPv6-Prefix-Pool = "pd"'], {'remote-ipv6-prefix-pool': 'six', 'dhcpv6-pd-pool': 'pd'}),
    'earlier': (['Session-Timeout = 1800', 'WISPr-Session-Terminate-Time = "%s"' % date(7200)], {'session-timeout': '30m'}),
    'actions': (['Termination-Action = Default', 'Port-Limit = 2', 'Acct-Interim-Interval = 0', 'Tunnel-Type = L2TP', 'Tunnel-Server-Endpoint = "%s"' % SERVER],
                {'termination-action': 0, 'port-limit': 2, 'interim-update': None}),
    'named': (['User-Name = "customer-7"', 'Chargeable-User-Identity = 0x63007f'], {'accounting-name': 'customer-7', 'chargeable-user-identity': '0x63007f'}),
    'keys': ([], {'mppe-policy': 'allowed', 'mppe-types': ['40-bit', '128-bit'], 'mppe-keys': True}),
    'mtu': (['Framed-MTU = 1300'], {'mtu': None}),
    # Known, and of no consequence: nothing to shape, to honour or to complain of.
    'quiet': (['Framed-Routing = None', 'Framed-Compression = None', 'Proxy-State = 0x03', 'Event-Timestamp = "Jan  1 2026 00:00:00 UTC"',
               'MS-CHAP-Domain = "example"', 'Reply-Message = "hello"'], {}),
}


@case
def radius_every_word_of_an_accept_is_shown(lab):
    """What a later plugin must act on is carried, typed, and shown; none of it is complained of."""
    road = RadiusRoad(lab, {user: ('p', given) for user, (given, _) in SHOWN.items()})
    server = road.nas()
    clients = [load(lab, road.cli, 1, user=user, password='p', name='load-' + user) for user in SHOWN]
    wrong = []
    for user, (given, wanted) in SHOWN.items():
        server.session(user)
        wrong += ['%s: %s' % (user, line) for line in differences(road.attributes(server, user), wanted)]
    expect(not wrong, '; '.join(wrong))
    expect(HONOURED not in server.process.text(), 'complaints: %s' % [complaints(server, user) for user in SHOWN])
    record = road.free.record(Acct_Status_Type='Start', User_Name='customer-7')
    expect(record['Chargeable-User-Identity'] == '0x63007f', 'the Start says %s' % record)
    expect(road.free.record(Acct_Status_Type='Start', User_Name='lists')['Class'] == ['0x00ff', '0x01', '0x02'], 'Class in accounting')
    text = server.ctl('show', 'session', 'limits').stdout
    expect(str(3 * GIB4 + 3) in text, 'aditctl show session: %s' % text)
    for client in clients:
        client.stop()
    server.no_session()
    server.stop()


# What has no row, or a value that can't be honoured: a word of the log each.
VAIN = [
    ('Framed-Routing = Broadcast', 'Framed-Routing (10): no plugin acts on it'),
    ('Framed-Compression = Van-Jacobson-TCP-IP', 'Framed-Compression (13): no plugin acts on it'),
    ('EAP-Message = 0x03010004', 'EAP-Message (79): no plugin acts on it'),
    ('State = 0x0102', 'State (24): no request is made when the session is over'),
    ('Termination-Action = RADIUS-Request', 'Termination-Action (29): no request is made when the session is over'),
    ('Tunnel-Type = VLAN', 'Tunnel-Type (64): no plugin acts on it'),
    ('Tunnel-Password = "hidden by salt"', 'Tunnel-Password (69): no plugin acts on it'),
    ('Framed-IP-Netmask = 255.0.255.0', 'Framed-IP-Netmask (9): is no netmask of a network'),
    ('Idle-Timeout = 600', 'Idle-Timeout (28): occurs twice'),
    ('Idle-Timeout += 700', 'Idle-Timeout (28): occurs twice'),
    ('Framed-Route = "nonsense"', 'Framed-Route (22): is no route'),
    ('Framed-IPv6-Route = "2001:db8::/32 none"', 'Framed-IPv6-Route (99): has a gateway that is none'),
    ('Framed-Interface-Id = 0:0:0:0', 'Framed-Interface-Id (96): is zero'),
    ('Route-IPv6-Information = 2001:db8::/32', 'Route-IPv6-Information (170): no plugin acts on it'),
    ('Stateful-IPv6-Address-Pool = "pool"', 'Stateful-IPv6-Address-Pool (172): no plugin acts on it'),
    ('Login-LAT-Port = "4"', 'Login-LAT-Port (63): no plugin acts on it'),
    ('Mikrotik-Rate-Limit = "fast"', 'Mikrotik-Rate-Limit (14988/8): is no rate'),
    ('Mikrotik-Wireless-PSK = "x"', 'Mikrotik-Wireless-PSK (14988/16): no plugin acts on it'),
    ('Mikrotik-Host-IP = 10.0.0.1', 'Mikrotik-Host-IP (14988/10): no plugin acts on it'),
    ('WISPr-Session-Terminate-Time = "soon"', 'WISPr-Session-Terminate-Time (14122/9): is no date with time'),
    ('Cisco-AVPair = "ip:addr-pool=x"', 'Cisco-AVPair (9/1): no plugin acts on it'),
    ('MS-MPPE-Send-Key = 0x010203', 'MS-MPPE-Send-Key (311/16): is no key of 16 octets'),
    ('MS-MPPE-Recv-Key = 0x010203', 'MS-MPPE-Recv-Key (311/17): is no key of 16 octets'),
]


@case
def radius_what_cannot_be_honoured_is_logged_once_a_session(lab):
    """By name and with the reason, however often the session authenticates; the session comes up without it."""
    road = RadiusRoad(lab, {'odd': ('p', [given for given, _ in VAIN]), 'plain': ('p', []), 'lost': ('p', ['Mikrotik-Group = "none-such"'])})
    server = road.nas(methods=['chap'], rechallenge='10s')
    events = server.monitor()
    client, plain, lost = road.client('odd', 'p'), road.client('plain', 'p', 'plain'), road.client('lost', 'p', 'lost')
    for user in ('odd', 'plain', 'lost'):
        server.session(user)
    poll(lambda: road.radius_sent('radius.code == 2 && radius.Tunnel_Type') >= 2, 'the user authenticates again', 20, 0.5)
    lines = complaints(server, 'odd')
    expect(len(lines) == 1, '%d lines: %s' % (len(lines), lines))
    missing = [words for _, words in VAIN if lines[0].count(words) != 1]
    expect(not missing, 'not once in the log: %s; it has %s' % (missing, lines[0]))
    expect(not complaints(server, 'plain'), 'a complaint of what was not given')
    expect(server.process.text().count('source radius returned the profile none-such') == 1, 'a profile that there is not')
    client.stop()
    events.expect('session-down', user='odd')
    client.start()
    server.session('odd')
    poll(lambda: len(complaints(server, 'odd')) == 2, 'the next session has its own line')
    for other in (client, plain, lost):
        other.stop()
    server.no_session()
    server.stop()


# What an RFC takes for a Reject, and why.
REFUSED = {
    'pptp': (['Tunnel-Type = PPTP'], 'Tunnel-Type (64) asks to tunnel the user on'),
    'shell': (['Service-Type := Login-User'], 'Service-Type (6) is not what this is'),
    'slip': (['Framed-Protocol := SLIP'], 'Framed-Protocol (7) is not what this is'),
    'tunnelled': (['Tunnel-Type = L2TP', 'Tunnel-Medium-Type = IPv4', 'Tunnel-Server-Endpoint = "192.0.2.99"'], 'Tunnel-Type (64) asks to tunnel the user on'),
    'secret': (['MS-MPPE-Encryption-Policy = Encryption-Required', 'MS-MPPE-Encryption-Types = RC4-128bit-Allowed'], 'ccp is required and cannot be offered: authentication made no keys'),
    'late': (['WISPr-Session-Terminate-Time = "%s"' % date(-60)], 'WISPr-Session-Terminate-Time (14122/9) is over'),
}


@case
def radius_accept_that_must_be_a_reject(lab):
    """RFC 2865 5.6, RFC 2868 3.1, RFC 2548 2.4.4: an Accept that can't be honoured lets nobody in, nor does encryption without keys. A Reject's message reaches the user."""
    users = {user: ('p', given) for user, (given, _) in REFUSED.items()}
    users['barred'] = ('p', ['Reply-Message = "pay the bill"'])
    road = RadiusRoad(lab, users)
    road.free.edit('users', '"barred" Cleartext-Password := "p"', '"barred" Auth-Type := Reject')
    road.free.stop()
    road.free.start()
    server = road.nas(methods=['chap'])
    events = server.monitor()
    clients = [road.client(user, 'p', user) for user in users]
    for user, (_, why) in REFUSED.items():
        server.process.expect_text(why)
    clients[-1].process.expect_text('pay the bill')
    for client in clients:
        client.stop()
    refused(events, 'late')
    expect(not [e for e in events.seen if e['event'] == 'session-up'] and not server.sessions(), 'somebody was let in')
    server.stop()


@case
def radius_ipv6_of_a_user(lab):
    """RFC 3162, 4818, 6911: prefixes, an address and routes are the kernel's, as many as were given; accounting reports them."""
    given = ['Framed-IP-Address = 10.77.0.9', 'Framed-Interface-Id = 0:0:0:7', 'Framed-IPv6-Prefix = 2001:db8:a::/64', 'Framed-IPv6-Prefix += 2001:db8:a:1::/64',
             'Framed-IPv6-Address = 2001:db8:c::7', 'Delegated-IPv6-Prefix = 2001:db8:b::/56', 'Delegated-IPv6-Prefix += 2001:db8:b:100::/56',
             'Framed-IPv6-Route = "2001:db8:d::/48"', 'Framed-IPv6-Route += "2001:db8:e::/48 :: 7"', 'DNS-Server-IPv6-Address = 2001:db8::53',
             'DNS-Server-IPv6-Address += 2001:db8::54', 'Framed-Route = "172.20.0.0/16 0.0.0.0 5"', 'Framed-Route += "172.22.0.0"', 'Framed-IP-Netmask = 255.255.255.0',
             'MS-Primary-DNS-Server = 10.0.0.53', 'MS-Secondary-DNS-Server = 10.0.0.54', 'MS-Primary-NBNS-Server = 10.0.0.55', 'MS-Secondary-NBNS-Server = 10.0.0.56']
    road = RadiusRoad(lab, {'ann': ('p', given)})
    server, client = road.nas(), road.client('ann', 'p')
    road.cli.address('lo', '2001:db8:b:1::1/128', '2001:db8:c::7/128', '2001:db8:e::1/128')
    at_server, _ = road.works(server, client, 'ann')

    def routes(family):
        return {(r['dst'], r.get('metric', 0)) for r in road.srv.routes(family) if r.get('dev') == at_server['interface']}
    wanted6 = {'2001:db8:a::/64', '2001:db8:a:1::/64', '2001:db8:c::7', '2001:db8:b::/56', '2001:db8:b:100::/56', '2001:db8:d::/48', '2001:db8:e::/48'}
    poll(lambda: wanted6 <= {to for to, _ in routes(6)}, 'routes of IPv6')
    expect(('2001:db8:e::/48', 7) in routes(6), 'the metric of Framed-IPv6-Route: %s' % routes(6))
    expect({('172.20.0.0/16', 5), ('172.22.0.0/16', 0), ('10.77.0.0/24', 0)} <= routes(4), 'routes of IPv4: %s' % routes(4))
    for host in ('2001:db8:b:1::1', '2001:db8:c::7', '2001:db8:e::1'):
        road.srv.expect_ping(host, 'a prefix of the user')
    shown, theirs = road.describe(server, 'ann'), client.call('io.adit.session.GetSession', id=client.session()['id'])['session']
    wanted = {'dns-1': '10.0.0.53', 'dns-2': '10.0.0.54', 'wins-1': '10.0.0.55', 'wins-2': '10.0.0.56', 'remote-ipv6-address': 'fe80::7'}
    expect(not differences(shown, wanted), 'the server: %s' % differences(shown, wanted))
    wanted = {'dns-1': '10.0.0.53', 'dns-2': '10.0.0.54', 'local-ipv6-address': 'fe80::7', 'local-address': '10.77.0.9'}
    expect(not differences(theirs, wanted), 'the user: %s' % differences(theirs, wanted))
    wanted = {'ipv6-dns-server': ['2001:db8::53', '2001:db8::54']}
    expect(not differences(shown['attributes'], wanted), 'attributes: %s' % differences(shown['attributes'], wanted))
    client.stop()
    server.no_session()
    expect(not [r for family in (4, 6) for r in routes(family)], 'routes are left')
    stop = road.free.record(Acct_Status_Type='Stop')
    wanted = {'Framed-IP-Address': '10.77.0.9', 'Framed-Interface-Id': '0:0:0:7', 'Delegated-IPv6-Prefix': ['2001:db8:b::/56', '2001:db8:b:100::/56'],
              'Framed-IPv6-Prefix': ['2001:db8:a::/64', '2001:db8:a:1::/64', '2001:db8:c::7/128']}
    expect(not differences(stop, wanted), 'the Stop: %s' % differences(stop, wanted))
    server.stop()


@case
def radius_group_is_a_profile(lab):
    """Mikrotik-Group: the server's values override the profile's, and the profile's the default's."""
    road = RadiusRoad(lab, {'guest': ('p', ['Mikrotik-Group = "guests"']), 'both': ('p', ['Mikrotik-Group = "guests"', 'Idle-Timeout = 88', 'Framed-Pool = "people"'])})
    tree = road.tree()
    tree['pools'].append({'name': 'guests', 'ranges': ['10.90.0.0/24']})
    tree['profiles'].append({'name': 'guests', 'remote-address': 'guests', 'idle-timeout': '77s', 'dns-server': ['10.0.0.53']})
    server = lab.adit(road.srv, configs.write(tree))
    for user, begin, idle in (('guest', '10.90.0.', '1m17s'), ('both', '10.64.', '1m28s')):
        client = load(lab, road.cli, 1, user=user, password='p', name='load-' + user)
        address = server.session(user)['remote-address']
        shown = road.describe(server, user)
        expect(address.startswith(begin) and shown['attributes']['idle-timeout'] == idle and shown['dns-1'] == '10.0.0.53', '%s: %s' % (user, shown))
        client.stop()
    server.no_session()
    server.stop()


# user: what it is given, and the cause in its Stop.
ENDED = {
    'sender': (['Mikrotik-Recv-Limit = 20000'], 'NAS-Request'),
    'receiver': (['Mikrotik-Xmit-Limit = 20000'], 'NAS-Request'),
    'silent': (['Idle-Timeout = 2', 'Mikrotik-Recv-Limit = 20000000'], 'Idle-Timeout'),
    'until': (['Session-Timeout = 1000'], 'Session-Timeout'),
}


@case
def radius_limits_end_sessions(lab):
    """Octets of a direction, silence, and the hour that WISPr names; the Stop says why."""
    users = {user: ('p', list(given)) for user, (given, _) in ENDED.items()}
    over = time.time() + 14  # enough for all to come up, however busy the machine is
    users['until'][1].append('WISPr-Session-Terminate-Time = "%s"' % date(14))
    road = RadiusRoad(lab, users)
    server = road.nas()
    clients = [load(lab, road.cli, 1, *(['--pings', 100, '--ping-size', 480, '--ping-every', '0.05'] if user in ('sender', 'receiver') else []),
                    user=user, password='p', name='load-' + user) for user in users]
    for user, client in zip(users, clients):
        if user in ('sender', 'receiver'):
            server.session(user)
            client.signal(signal.SIGUSR1)
    for user, (_, cause) in ENDED.items():
        stop = road.free.record(25, Acct_Status_Type='Stop', User_Name=user)
        expect(stop['Acct-Terminate-Cause'] == cause, '%s: %s' % (user, stop))
        if cause == 'NAS-Request':
            carried = int(stop['Acct-Input-Octets' if user == 'sender' else 'Acct-Output-Octets'])
            expect(20000 <= carried <= 60000, '%s ended after %d octets' % (user, carried))
    ended = time.mktime(time.strptime(stop['Event-Timestamp'], '%b %d %Y %H:%M:%S %Z'))
    expect(-2 <= ended - over <= 2, 'WISPr-Session-Terminate-Time ended it %.1f s late' % (ended - over))
    for client in clients:
        client.stop()
    server.stop()


@case
def radius_mppe_keys_of_mschap(lab):
    """RFC 2548 2.4: FreeRADIUS's keys are decrypted, of either version, and not shown; MS-CHAP's Domain says nothing new."""
    road = RadiusRoad(lab, {'ann': ('wonder-land', [])})
    server = road.nas(methods=['mschap1'])
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    expect(road.attributes(server, 'ann').get('mppe-keys') is True, 'keys of MS-CHAPv1: %s' % road.attributes(server, 'ann'))
    road.expect_radius('radius.code == 2 && radius.MS_CHAP_MPPE_Keys', 'MS-CHAP-MPPE-Keys')
    client.stop()
    server.no_session()
    server.reload(configs.write(road.tree(methods=['mschap2'])))
    client.start()
    road.works(server, client, 'ann')
    expect(road.attributes(server, 'ann').get('mppe-keys') is True, 'keys of MS-CHAPv2: %s' % road.attributes(server, 'ann'))
    road.expect_radius('radius.code == 2 && radius.MS_MPPE_Send_Key && radius.MS_MPPE_Recv_Key && radius.MS_MPPE_Encryption_Policy', 'MS-MPPE-Send-Key')
    expect(HONOURED not in server.process.text(), 'a key is complained of: %s' % complaints(server, 'ann'))
    client.stop()
    server.no_session()
    server.stop()


@case
def radius_routes_that_are_none_end_a_session_that_requires_them(lab):
    """One policy for every source: shown and left out, unless the profile says `routes-required`."""
    road = RadiusRoad(lab, {'ann': ('p', ['Framed-Route = "nonsense"'])})
    server = road.nas(methods=['chap'])
    client = road.client('ann', 'p')
    road.works(server, client, 'ann')
    shown = server.call('io.adit.session.GetSession', id='ann')['session']['routes']
    expect([r for r in shown if r['route'] == '(nonsense)' and r['state'] == 'malformed'], 'show session does not tell: %s' % shown)
    client.stop()
    server.stop()
    server = road.nas(methods=['chap'], profile={'routes-required': True})
    client = road.client('ann', 'p', 'again')
    server.process.expect_text('routes-required: ', 20)
    expect(not server.sessions(), 'a session without its required route is up')
    client.stop()
    server.stop()


@case
def radius_reply_message_reaches_the_user(lab):
    """RFC 2865 5.18: of an Accept, too; several in order."""
    road = RadiusRoad(lab, {'ann': ('p', ['Reply-Message = "good"', 'Reply-Message += "morning"'])})
    server, client = road.nas(methods=['pap']), road.client('ann', 'p', allow=['pap'])
    road.works(server, client, 'ann')
    road.expect_sent('frame contains "good morning"', 'the message in the Authenticate-Ack')
    client.stop()
    server.no_session()
    server.stop()
