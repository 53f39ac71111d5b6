# SPDX-License-Identifier: GPL-2.0-or-later
"""Users, attributes and accounting by Debian's FreeRADIUS."""

import signal
import sys

import configs
import freeradius
from lab import expect, poll
from radius_road import NAS, PROXY, PROXY_TOO, RADIUS, RadiusRoad, refused
from road import CLIENT, INSIDE, SERVER, SERVER_TOO, load
from runner import case

ANN = {'ann': ('wonder-land', [])}


def right_and_wrong(lab, method, filters):
    """Wrong, then right; the requests are the method's own."""
    road = RadiusRoad(lab, ANN)
    server = road.nas(methods=[method])
    events = server.monitor()
    client = road.client('ann', 'not-that')
    refused(events, 'ann')
    expect(not server.sessions() and not client.sessions(), 'a session stands in spite of a wrong password')
    client.reload(configs.write(configs.client('ann', 'wonder-land')))
    road.works(server, client, 'ann')
    shown = road.describe(server, 'ann')
    expect(shown['source'] == 'radius' and shown['link']['authenticated-by'] == method, 'who vouched: %s' % shown)
    for display_filter in filters + ['radius.code == 3', 'radius.code == 2', 'radius.code == 1 && radius.Message_Authenticator', 'radius.Service_Type == 2 && radius.Framed_Protocol == 1']:
        road.expect_radius(display_filter, 'RADIUS with ' + display_filter)
    client.stop()
    server.no_session()
    server.stop()


@case
def radius_pap_right_and_wrong(lab):
    """RFC 2865 5.2."""
    right_and_wrong(lab, 'pap', ['radius.avp.type == 2'])


@case
def radius_chap_right_and_wrong(lab):
    """RFC 2865 5.3, 5.40."""
    right_and_wrong(lab, 'chap', ['radius.CHAP_Password'])


@case
def radius_mschap1_right_and_wrong(lab):
    """RFC 2548 2.1."""
    right_and_wrong(lab, 'mschap1', ['radius.avp.type == 26 && radius.MS_CHAP_Response'])


@case
def radius_mschap2_right_and_wrong(lab):
    """RFC 2548 2.3: the client checks the server's proof, which came from FreeRADIUS."""
    right_and_wrong(lab, 'mschap2', ['radius.MS_CHAP2_Response', 'radius.code == 2 && radius.MS_CHAP2_Success', 'radius.code == 3 && radius.MS_CHAP_Error'])


@case
def radius_is_asked_for_strangers_alone(lab):
    """RouterOS's use-radius: a name that is in the local secrets is not asked for, whatever its password."""
    road = RadiusRoad(lab, {'ann': ('wonder-land', []), 'local': ('of-radius', [])})
    server = road.nas(secrets={'local': 'here'})
    events = server.monitor()
    client = road.client('local', 'of-radius')
    refused(events, 'local')
    client.reload(configs.write(configs.client('local', 'here')))
    road.works(server, client, 'local')
    expect(road.radius_sent('radius.code == 1') == 0, 'RADIUS was asked for a local name')
    expect(road.describe(server, 'local')['source'] == 'secrets', 'the source of a local user')
    ann = road.client('ann', 'wonder-land', 'ann')
    server.session('ann')
    road.expect_radius('radius.code == 1 && radius.User_Name == "ann"', 'a request for ann')
    for other in (client, ann):
        other.stop()
    server.no_session()
    server.reload(configs.write(road.tree(secrets={'local': 'here'}, aaa={'use-radius': False, 'sources': ['radius']})))
    events = server.monitor()
    client.start()
    refused(events, 'local')
    client.stop()
    server.stop()


@case
def radius_request_says_who_and_where(lab):
    """RouterOS's attributes of an Access-Request, and RFC 2868's."""
    road = RadiusRoad(lab, ANN)
    server = road.nas(radius={'nas-identifier': 'edge-1'})
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    shown = road.describe(server, 'ann')
    for display_filter in ('radius.NAS_Identifier == "edge-1"', 'radius.NAS_IP_Address == ' + NAS, 'radius.NAS_Port_Type == 5', 'radius.NAS_Port',
                           'radius.Calling_Station_Id == "%s"' % CLIENT, 'radius.Called_Station_Id == "%s"' % SERVER,
                           'radius.Acct_Session_Id == "%s"' % shown['accounting-id'], 'radius.Tunnel_Client_Endpoint', 'radius.Tunnel_Server_Endpoint'):
        road.expect_radius('radius.code == 1 && ' + display_filter, 'a request with ' + display_filter)
    first = road.radius_sent('radius.code == 1')
    expect(road.radius_sent('radius.code == 1 && radius.avp.type == 80') == first, 'a request without Message-Authenticator')
    client.stop()
    server.no_session()
    server.stop()


# What comes in, and what `show session` has of it. A value that is a list must have all its items.
SHOWN = [
    ('Class = 0x0001ff', 'class', ['0x0001ff']),
    ('Session-Timeout = 3600', 'session-timeout', '1h'),
    ('Idle-Timeout = 600', 'idle-timeout', '10m'),
    ('Acct-Interim-Interval = 90', 'interim-update', '1m30s'),
    ('Port-Limit = 1', 'port-limit', 1),
    ('Termination-Action = Default', 'termination-action', 0),
    ('Filter-Id = "slow.in"', 'incoming-filter', 'slow'),
    ('Filter-Id += "fast.out"', 'outgoing-filter', 'fast'),
    ('Mikrotik-Rate-Limit = "1M/2M"', 'rate-limit', '1M/2M'),
    ('Mikrotik-Address-List = "good"', 'address-list', ['good']),
    ('Mikrotik-Recv-Limit = 1000000', 'limit-bytes-in', '1M'),
    ('Mikrotik-Xmit-Limit = 2000000', 'limit-bytes-out', '2M'),
    ('Mikrotik-Total-Limit = 3000000', 'limit-bytes-total', '3M'),
    ('Mikrotik-Mark-Id = "m1"', 'mark', 'm1'),
    ('Framed-IPv6-Prefix = 2001:db8:a::/64', 'remote-ipv6-prefix', ['2001:db8:a::/64']),
    ('Delegated-IPv6-Prefix = 2001:db8:b::/56', 'delegated-ipv6-prefix', ['2001:db8:b::/56']),
    ('Framed-Interface-Id = 0:0:0:7', 'remote-interface-id', '0x0000000000000007'),
    ('DNS-Server-IPv6-Address = 2001:db8::53', 'ipv6-dns-server', ['2001:db8::53']),
]


@case
def radius_attributes_take_effect(lab):
    """Addresses, routes, name servers, limits; what nothing acts on yet is shown."""
    attributes = ['Framed-IP-Address = 10.77.0.9', 'Framed-Route = "172.20.0.0/16 0.0.0.0 1"', 'Framed-Route += "172.21.5.0/24"',
                  'MS-Primary-DNS-Server = 10.0.0.53', 'MS-Secondary-DNS-Server = 10.0.0.54', 'MS-Primary-NBNS-Server = 10.0.0.55']
    road = RadiusRoad(lab, {'ann': ('wonder-land', attributes + [item[0] for item in SHOWN])})
    server, client = road.nas(), road.client('ann', 'wonder-land')
    road.cli.address('lo', '172.20.0.1/32', '172.21.5.1/32')
    at_server, at_client = road.works(server, client, 'ann')
    expect(at_server['remote-address'] == '10.77.0.9', 'ann got %s' % at_server['remote-address'])
    for host in ('172.20.0.1', '172.21.5.1'):
        road.srv.expect_ping(host, 'a Framed-Route')
    shown = road.describe(server, 'ann')
    expect([shown.get('dns-1'), shown.get('dns-2'), shown.get('wins-1')] == ['10.0.0.53', '10.0.0.54', '10.0.0.55'], 'name servers: %s' % shown)
    got, wrong = shown['attributes'], []
    for source, key, value in SHOWN:
        if got.get(key) != value:
            wrong.append('%s gives %s: %s' % (source, key, got.get(key)))
    expect(not wrong, '; '.join(wrong))

    def routes6():
        return {r['dst'] for r in road.srv.routes(6) if r.get('dev') == at_server['interface']}
    poll(lambda: {'2001:db8:a::/64', '2001:db8:b::/56'} <= routes6(), 'routes to the prefixes')
    expect(road.describe(server, 'ann')['remote-ipv6-address'] == 'fe80::7', 'Framed-Interface-Id')
    client.stop()
    server.no_session()
    expect(not [r for r in road.srv.routes() if r['dst'].startswith(('172.2', '10.77.'))], 'routes are left')
    server.stop()


@case
def radius_addresses_of_every_kind(lab):
    """RFC 2865 5.8: fixed, from the pool, of the user's choice; Framed-Pool; a netmask; RouterOS's 127/8."""
    users = {'fixed': ('p', ['Framed-IP-Address = 10.78.0.4']), 'pool': ('p', ['Framed-IP-Address = 255.255.255.254']), 'ros': ('p', ['Framed-IP-Address = 127.0.0.1']),
             'named': ('p', ['Framed-Pool = "other"']), 'both': ('p', ['Framed-IP-Address = 10.78.0.5', 'Framed-Pool = "other"']),
             'net': ('p', ['Framed-IP-Address = 10.79.3.1', 'Framed-IP-Netmask = 255.255.255.0'])}
    road = RadiusRoad(lab, users)
    tree = road.tree()
    tree['pools'].append({'name': 'other', 'ranges': ['10.80.0.0/24']})
    server = lab.adit(road.srv, configs.write(tree))
    events = server.monitor()
    for user, begin in (('fixed', '10.78.0.4'), ('pool', '10.64.'), ('ros', '10.64.'), ('named', '10.80.0.'), ('both', '10.78.0.5'), ('net', '10.79.3.1')):
        client = load(lab, road.cli, 1, user=user, password='p', name='load-' + user)
        events.expect('session-up', 20, user=user)
        address = server.session(user)['remote-address']
        expect(address.startswith(begin), '%s got %s' % (user, address))
        if user == 'net':
            expect([r for r in road.srv.routes() if r['dst'] == '10.79.3.0/24'], 'no route for the netmask')
        client.stop()
        server.no_session()
    server.stop()


@case
def radius_accept_of_another_service_is_refused(lab):
    """RFC 2865 5.6: a service that we don't have is a reject. The log names what can't be honoured, once."""
    road = RadiusRoad(lab, {'shell': ('p', []), 'odd': ('p', ['Mikrotik-Wireless-PSK = "x"', 'Login-LAT-Port = "4"'])})
    with open(road.free.folder + '/users') as f:
        text = f.read()
    with open(road.free.folder + '/users', 'w') as f:
        f.write(text.replace('"shell" Cleartext-Password := "p"\n\tService-Type = Framed-User', '"shell" Cleartext-Password := "p"\n\tService-Type = Login-User'))
    road.free.stop()
    road.free.start()
    server = road.nas()
    events = server.monitor()
    shell = road.client('shell', 'p')
    refused(events, 'shell')
    shell.stop()
    odd = road.client('odd', 'p', 'odd')
    server.session('odd')
    poll(lambda: 'Mikrotik-Wireless-PSK' in server.process.text(), 'a log line on what can\'t be honoured')
    expect(server.process.text().count('Mikrotik-Wireless-PSK') == 1, 'it is logged more than once')
    odd.stop()
    server.no_session()
    server.stop()


@case
def radius_session_timeout_ends_the_session(lab):
    road = RadiusRoad(lab, {'ann': ('wonder-land', ['Session-Timeout = 3'])})
    server = road.nas()
    events = server.monitor()
    client = road.client('ann', 'wonder-land')
    events.expect('session-up', user='ann')
    down = events.expect('session-down', user='ann')
    expect(2500 <= down['uptime-ms'] <= 6000, 'it lived %s ms' % down['uptime-ms'])
    stop = road.free.record(Acct_Status_Type='Stop', User_Name='ann')
    expect(stop['Acct-Terminate-Cause'] == 'Session-Timeout', 'the cause is %s' % stop['Acct-Terminate-Cause'])
    client.stop()
    server.stop()


@case
def radius_byte_limit_ends_the_session(lab):
    road = RadiusRoad(lab, {'ann': ('wonder-land', ['Mikrotik-Total-Limit = 20000'])})
    server = road.nas()
    events = server.monitor()
    client = load(lab, road.cli, 1, '--pings', 100, '--ping-size', 480, '--ping-every', '0.1', user='ann', password='wonder-land')
    events.expect('session-up', user='ann')
    client.signal(signal.SIGUSR1)
    events.expect('session-down', 20, user='ann')
    stop = road.free.record(Acct_Status_Type='Stop')
    carried = int(stop['Acct-Input-Octets']) + int(stop['Acct-Output-Octets'])
    expect(20000 <= carried <= 60000, 'ended after %d octets' % carried)
    client.stop()
    server.stop()


@case
def radius_accounting_start_interim_stop(lab):
    """RFC 2866: what each kind has, and that octets and packets are what the user sent and got."""
    road = RadiusRoad(lab, {'ann': ('wonder-land', ['Class = 0x010203', 'Class += 0x04', 'Framed-IP-Address = 10.77.0.9'])})
    server = road.nas(aaa={'interim-update': '2s'})
    expect(road.free.record(Acct_Status_Type='Accounting-On')['NAS-IP-Address'] == NAS, 'Accounting-On is from another')
    client = load(lab, road.cli, 1, '--pings', 10, '--ping-size', 300, '--ping-every', '0.1', user='ann', password='wonder-land')
    server.session('ann')
    client.signal(signal.SIGUSR1)
    client.expect_text('pinged', 20)
    shown = road.describe(server, 'ann')
    start = road.free.record(Acct_Status_Type='Start')
    for key, value in (('User-Name', 'ann'), ('NAS-IP-Address', NAS), ('Framed-IP-Address', '10.77.0.9'), ('Class', ['0x010203', '0x04']), ('Acct-Authentic', 'RADIUS'),
                       ('Service-Type', 'Framed-User'), ('Framed-Protocol', 'PPP'), ('Calling-Station-Id', CLIENT), ('Called-Station-Id', SERVER),
                       ('NAS-Port-Type', 'Virtual'), ('Acct-Session-Id', shown['accounting-id']), ('Acct-Delay-Time', '0')):
        expect(start.get(key) == value, 'the Start has %s = %s, not %s' % (key, start.get(key), value))
    expect('Event-Timestamp' in start and 'Acct-Input-Octets' not in start and 'Acct-Session-Time' not in start, 'the Start: %s' % start)
    interim = poll(lambda: [r for r in road.free.records(Acct_Status_Type='Interim-Update') if r['Acct-Input-Octets'] == '3000'], 'an interim record after the pings', 10)[0]
    expect(interim['Acct-Input-Packets'] == '10' and interim['Acct-Output-Octets'] == '3000', 'the interim record: %s' % interim)
    client.stop()
    server.no_session()
    stop = road.free.record(Acct_Status_Type='Stop')
    expect((stop['Acct-Input-Octets'], stop['Acct-Output-Octets'], stop['Acct-Input-Packets'], stop['Acct-Output-Packets']) == ('3000', '3000', '10', '10'), 'the Stop: %s' % stop)
    expect(stop['Acct-Terminate-Cause'] == 'User-Request' and 1 <= int(stop['Acct-Session-Time']) <= 60, 'the Stop: %s' % stop)
    expect(stop['Class'] == ['0x010203', '0x04'] and stop.get('Acct-Input-Gigawords', '0') == '0', 'the Stop: %s' % stop)
    server.stop()
    road.free.record(Acct_Status_Type='Accounting-Off')
    kinds = [r['Acct-Status-Type'] for r in road.free.records() if r['Acct-Status-Type'] != 'Interim-Update']
    expect(kinds == ['Accounting-On', 'Start', 'Stop', 'Accounting-Off'], 'the records are %s' % kinds)


# Datagrams that nobody wants: each is a thousand octets up, and at most an ICMP error of 576 down.
ONE_WAY = """import socket, sys
for _ in range(20):
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.sendto(bytes(1000), (sys.argv[1], 9))
"""


@case
def radius_accounting_of_local_users_and_directions(lab):
    """Acct-Authentic tells who vouched; RouterOS's direction is the other one; no accounting, no records."""
    road = RadiusRoad(lab, {})
    options = {'secrets': {'local': 'here'}, 'radius': {'accounting-direction': 'routeros', 'accounting-on': False}}
    server = road.nas(**options)
    client = road.client('local', 'here')
    road.works(server, client, 'local')
    road.cli.run(sys.executable, '-c', ONE_WAY, INSIDE)
    client.stop()
    server.no_session()
    stop = road.free.record(Acct_Status_Type='Stop', User_Name='local')
    expect(stop['Acct-Authentic'] == 'Local', 'who vouched: %s' % stop)
    expect(int(stop['Acct-Output-Octets']) > 20 * 1000 > int(stop['Acct-Input-Octets']), 'what came from the user is not Output: %s' % stop)
    server.reload(configs.write(road.tree(aaa={'accounting': False}, **options)))
    before = len(road.free.records())
    client.start()
    road.works(server, client, 'local')
    client.stop()
    server.no_session()
    server.stop()
    expect(len(road.free.records()) == before, 'records in spite of accounting: no: %s' % road.free.records()[before:])


@case
def radius_accounting_answers_that_are_signed(lab):
    """FreeRADIUS told to sign its Accounting-Responses, too, which it does in its own way: they count."""
    road = RadiusRoad(lab, ANN)
    site = road.free.folder + '/site.conf'
    with open(site) as f:
        text = f.read()
    with open(site, 'w') as f:
        f.write(text.replace('    detail\n', '    detail\n    update reply {\n      Message-Authenticator := 0x00\n    }\n'))
    road.free.stop()
    road.free.start()
    server, client = road.nas(), road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    client.stop()
    server.no_session()
    poll(lambda: server.call('io.adit.radius.GetAccounting')['accounting']['records'] == 0, 'all records are acknowledged', 8)
    road.expect_radius('radius.code == 5 && radius.avp.type == 80', 'a signed Accounting-Response')
    server.stop()


@case
def radius_by_ipv6(lab):
    road = RadiusRoad(lab, ANN)
    road.srv.address('to-aaa', '2001:db8:aaa::1/64')
    road.aaa.address('wire', '2001:db8:aaa::2/64')
    road.free.stop()
    with open(road.free.folder + '/site.conf') as f:
        text = f.read()
    with open(road.free.folder + '/site.conf', 'w') as f:
        f.write(text.replace('ipaddr = ' + RADIUS, 'ipv6addr = 2001:db8:aaa::2'))
    road.free.start()
    server = road.nas(('2001:db8:aaa::2',))
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    client.stop()
    server.no_session()
    expect(road.free.record(Acct_Status_Type='Stop')['NAS-IPv6-Address'] == '2001:db8:aaa::1', 'NAS-IPv6-Address')
    server.stop()


@case
def radius_by_name(lab):
    """A server that is named; the name is looked up aside."""
    road = RadiusRoad(lab, ANN)
    here = freeradius.FreeRadius(lab, road.srv, '127.0.0.1', {'bob': ('builder', [])}, name='freeradius-here')
    server = road.nas(('localhost',))
    client = road.client('bob', 'builder')
    road.works(server, client, 'bob')
    client.stop()
    server.no_session()
    here.record(Acct_Status_Type='Stop')
    server.stop()


@case(limit=120)
def radius_by_radsec(lab):
    """RFC 6614: a login and its accounting through TLS; a server with another authority's certificate is not believed."""
    road = RadiusRoad(lab, ANN)
    ours = freeradius.certificates(lab.folder + '/pki', server='IP:' + PROXY, adit='DNS:adit.example.net')
    other = freeradius.certificates(lab.folder + '/other', server='IP:' + PROXY_TOO)
    users = {'ann': ('wonder-land', ['Framed-IP-Address = 10.77.0.9'])}
    good = freeradius.FreeRadius(lab, road.aaa, PROXY, users, name='freeradius-good', radsec=ours['server'])
    freeradius.FreeRadius(lab, road.aaa, PROXY_TOO, users, name='freeradius-bad', radsec=other['server'])
    certificate, key, ca = ours['adit']

    def server_at(address):
        return {'address': address, 'protocol': 'radsec', 'certificate': certificate, 'key': key, 'ca': ca}
    server = road.nas((server_at(PROXY),), more={'secret': 'radsec'})
    client = road.client('ann', 'wonder-land')
    at_server, _ = road.works(server, client, 'ann')
    expect(at_server['remote-address'] == '10.77.0.9', 'ann got %s' % at_server['remote-address'])
    client.stop()
    server.no_session()
    good.record(Acct_Status_Type='Stop', deadline=20)
    expect(road.radius_sent('radius.code == 1') == 0, 'something went in clear')
    server.reload(configs.write(road.tree((server_at(PROXY_TOO),), more={'secret': 'radsec'})))
    events = server.monitor()
    client.start()
    refused(events, 'ann', 60)
    client.stop()
    server.stop(60)


@case
def radius_shows_its_servers(lab):
    """`aditctl show radius`: RouterOS's counters."""
    road = RadiusRoad(lab, ANN)
    server = road.nas(({'address': RADIUS, 'name': 'free'},))
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    road.free.record(Acct_Status_Type='Start')
    text = server.ctl('show', 'radius').stdout
    expect('free' in text, 'show radius: %s' % text)
    shown = server.ctl('--json', 'show', 'radius').stdout
    for word in ('pending', 'requests', 'accepts', 'rejects', 'resends', 'timeouts', 'bad-replies', 'last-request-rtt'):
        expect(word in shown, 'no %s in %s' % (word, shown))
    expect(configs.scalar('between-us') not in shown + text, 'the secret is shown')
    client.stop()
    server.no_session()
    server.stop()


@case
def radius_vendors_words_and_their_order(lab):
    """Rates: MikroTik before Ascend before WISPr. Pools, MTU by choice, quotas of more than 4 GiB, the user's name for accounting."""
    users = {'mikrotik': ('p', ['Ascend-Data-Rate = 1000000', 'Ascend-Xmit-Rate = 2000000', 'Mikrotik-Rate-Limit = "3M/4M"', 'WISPr-Bandwidth-Max-Up = 5000000']),
             'ascend': ('p', ['Ascend-Data-Rate = 1000000', 'Ascend-Xmit-Rate = 2000000', 'WISPr-Bandwidth-Max-Up = 5000000']),
             'wispr': ('p', ['WISPr-Bandwidth-Max-Up = 5000000', 'WISPr-Bandwidth-Max-Down = 6000000']),
             'pools': ('p', ['Framed-IPv6-Pool = "six"', 'Mikrotik-Delegated-IPv6-Pool = "pd"', 'Framed-MTU = 1300', 'User-Name = "customer-7"']),
             'quota': ('p', ['Mikrotik-Total-Limit = 5', 'Mikrotik-Total-Limit-Gigawords = 2'])}
    road = RadiusRoad(lab, users)
    server = road.nas(radius={'accept-framed-mtu': True})
    wanted = {'mikrotik': {'rate-limit': '3M/4M'}, 'ascend': {'rate-limit': '1000000/2000000'}, 'wispr': {'rate-limit': '5000000/6000000'},
              'quota': {'limit-bytes-total': str(2 * 2**32 + 5)}, 'pools': {'remote-ipv6-prefix-pool': 'six', 'dhcpv6-pd-pool': 'pd', 'mtu': 1300}}
    for user in users:
        client = load(lab, road.cli, 1, user=user, password='p', name='load-' + user)
        got = road.attributes(server, user)
        for key, value in wanted.get(user, {}).items():
            expect(got.get(key) == value, '%s: %s is %s: %s' % (user, key, got.get(key), got))
        if user == 'pools':
            interface = server.session(user)['interface']
            expect(road.srv.interfaces()[interface]['mtu'] == 1300, 'the MTU of %s' % interface)
            expect(road.free.record(Acct_Status_Type='Start', User_Name='customer-7'), 'the name of accounting')
        client.stop()
        server.no_session()
    server.stop()


@case
def radius_server_by_realm_and_called_id(lab):
    """RouterOS's choice: a server that names the user's realm, or the address that was called, is the only one asked. Each of them hears
    Accounting-On and -Off (RFC 2866 5.1)."""
    road = RadiusRoad(lab, {'ann@example.net': ('p', []), 'ann': ('p', [])})
    proxy, other = road.proxy(PROXY), road.proxy(PROXY_TOO)
    tree = road.tree(({'address': PROXY, 'realm': 'example.net'}, {'address': PROXY_TOO, 'called-id': SERVER_TOO}, RADIUS), address=None)
    server = lab.adit(road.srv, configs.write(tree))
    for user, to, asked in (('ann@example.net', SERVER, (1, 0)), ('ann', SERVER, (1, 0)), ('ann', SERVER_TOO, (1, 1))):
        client = road.client(user, 'p', 'c%d' % len(lab.namespaces), connect_to=to)
        road.works(server, client, user)
        client.stop()
        server.no_session()
        got = tuple(1 if p.stats().get('requests') else 0 for p in (proxy, other))
        expect(got == asked, '%s at %s: asked are %s' % (user, to, got))
    server.stop()
    for status in (7, 8):
        for address in (PROXY, PROXY_TOO, RADIUS):
            once = 'radius.code == 4 && radius.Acct_Status_Type == %d && ip.dst == %s' % (status, address)
            road.expect_radius(once, 'Accounting-Request %d to %s' % (status, address))
            expect(road.radius_sent(once) == 1, 'once: ' + once)


@case
def radius_interim_period_of_the_server(lab):
    """RFC 2869 2.1, 5.16: Acct-Interim-Interval overrides the configuration's, and is never below a minute."""
    road = RadiusRoad(lab, {'ann': ('wonder-land', ['Acct-Interim-Interval = 5'])})
    server = road.nas(aaa={'interim-update': '2s'})
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    expect(road.attributes(server, 'ann')['interim-update'] == '1m', 'the period is %s' % road.attributes(server, 'ann').get('interim-update'))
    client.stop()
    server.no_session()
    server.stop()
