# SPDX-License-Identifier: GPL-2.0-or-later
"""Dynamic authorization (RFC 5176) by radclient, and by packets of our own where radclient is too honest."""

import os
import sys
import time

import configs
import freeradius
import radius
from lab import expect, poll
from radius_road import NAS, NOBODY, RadiusRoad, answered, differences
from road import INSIDE, SERVER6, SERVER_TOO
from runner import case

USERS = {'ann': ('wonder-land', ['Framed-IP-Address = 10.77.0.9', 'Class = 0x01']), 'bob': ('builder', ['Framed-IP-Address = 10.77.0.10'])}
ASK = '''
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[3]))
s.connect((sys.argv[1], int(sys.argv[2])))
for line in sys.stdin.read().split():
    s.send(bytes.fromhex(line[1:]))
    try:
        print(s.recv(4096).hex())
    except OSError:
        print('-')
'''


def two_users(lab, **options):
    road = RadiusRoad(lab, USERS)
    server = road.nas(incoming=dict({'port': [3799, 1700]}, **options.pop('incoming', {})), **options)
    clients = [road.client('ann', 'wonder-land'), road.client('bob', 'builder', 'bob')]
    server.session('ann')
    server.session('bob')
    return road, server, clients


def end(server, clients):
    for client in clients:
        client.stop()
    server.no_session()
    server.stop()


def raw(road, *packets, port=3799, timeout=1):
    """Sends datagrams from one socket; what came back for each, None where nothing did."""
    done = road.aaa.run(sys.executable, '-c', ASK, NAS, port, timeout, stdin='\n'.join('=' + p.hex() for p in packets))
    return [None if line == '-' else radius.Packet.parse(bytes.fromhex(line)) for line in done.stdout.split()]


@case
def dae_disconnect_by_every_key(lab):
    """RFC 5176 3: each key alone, and together; all that are given must match."""
    road, server, clients = two_users(lab)
    events = server.monitor()
    wrong = ['User-Name = bob', 'Acct-Session-Id = "%s"' % road.describe(server, 'ann')['accounting-id']]
    for keys in (wrong, ['User-Name = nobody']):
        answered(road.dynamic('disconnect', *keys), 'Disconnect-NAK', 'Session-Context-Not-Found')
    road.srv.run('sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1', 'net.ipv6.ip_nonlocal_bind=1')
    for ours in ('NAS-IP-Address = ' + SERVER_TOO, 'NAS-IPv6-Address = ' + SERVER6):
        answered(road.dynamic('disconnect', 'User-Name = nobody', ours), 'Disconnect-NAK', 'Session-Context-Not-Found')
    for other in ('NAS-IP-Address = 203.0.113.7', 'NAS-IPv6-Address = 2001:db8:9::7'):
        answered(road.dynamic('disconnect', 'User-Name = ann', other), 'Disconnect-NAK', 'NAS-Identification-Mismatch')
    for keys in (lambda s: ['User-Name = ann'], lambda s: ['Acct-Session-Id = "%s"' % s['accounting-id']], lambda s: ['Framed-IP-Address = 10.77.0.9'],
                 lambda s: ['User-Name = ann', 'Framed-IP-Address = 10.77.0.9', 'Acct-Session-Id = "%s"' % s['accounting-id'], 'NAS-IP-Address = ' + NAS]):
        shown = road.describe(server, 'ann')
        answered(road.dynamic('disconnect', *keys(shown)), 'Disconnect-ACK')
        events.expect('session-down', user='ann')
        stop = road.free.record(Acct_Status_Type='Stop', Acct_Session_Id=shown['accounting-id'])
        expect(stop['Acct-Terminate-Cause'] == 'Admin-Reset', 'the Stop says %s' % stop['Acct-Terminate-Cause'])
        events.expect('session-up', user='ann')
        server.session('ann')
    expect(server.session('bob')['uptime'] > 0, 'bob is gone, too')
    answered(road.dynamic('disconnect', 'User-Name = bob', port=1700), 'Disconnect-ACK')
    events.expect('session-down', user='bob')
    end(server, clients)


# Nothing in adit acts on these: a billing system must not take them for being in force.
WITHOUT_EFFECT = ['Mikrotik-Rate-Limit = "5M/20M"', 'Ascend-Data-Rate = 1000', 'Ascend-Xmit-Rate = 3000', 'WISPr-Bandwidth-Max-Up = 7',
                  'WISPr-Bandwidth-Min-Up = 7', 'WISPr-Bandwidth-Min-Down = 7', 'WISPr-Bandwidth-Max-Down = 7', 'Filter-Id = "one"',
                  'Filter-Id = "slow.in"', 'Filter-Id = "fast.out"', 'Mikrotik-Mark-Id = "m2"', 'Mikrotik-Address-List = "good"']


@case
def dae_change_of_a_live_session(lab):
    """CoA: limits, class, period; shown, in force, and in the records that follow. With what nothing acts on nothing is changed."""
    road, server, clients = two_users(lab)
    before = server.session('ann')['id']
    answered(road.dynamic('coa', 'User-Name = ann', 'Session-Timeout = 1000', 'Idle-Timeout = 500', 'Acct-Interim-Interval = 120', 'Class = 0x0a0b',
                          'Mikrotik-Total-Limit = 77000001'), 'CoA-ACK')
    got = road.attributes(server, 'ann')
    for key, value in (('session-timeout', '16m40s'), ('idle-timeout', '8m20s'), ('interim-update', '2m'), ('class', ['0x0a0b']), ('limit-bytes-total', '77000001')):
        expect(got.get(key) == value, '%s is %s after CoA: %s' % (key, got.get(key), got))
    expect(server.session('ann')['id'] == before, 'CoA ended the session')
    expect(road.attributes(server, 'bob').get('limit-bytes-total') is None, 'bob was changed, too')

    answered(road.dynamic('coa', 'User-Name = ann', 'Idle-Timeout = 99', 'Framed-IP-Address = 10.99.0.1'), 'CoA-NAK')
    answered(road.dynamic('coa', 'User-Name = ann', 'Idle-Timeout = 99', 'Framed-Pool = "other"'), 'CoA-NAK', 'Unsupported-Attribute')
    answered(road.dynamic('coa', 'User-Name = ann', 'Idle-Timeout = 99', 'Mikrotik-Group = "no-such-profile"'), 'CoA-NAK')
    for words in WITHOUT_EFFECT:
        answered(road.dynamic('coa', 'User-Name = ann', 'Idle-Timeout = 99', words), 'CoA-NAK', 'Unsupported-Attribute')
    expect(road.attributes(server, 'ann')['idle-timeout'] == '8m20s', 'half of a CoA was done')
    expect('Unsupported Attribute: rate-limit: no loaded plugin acts on it' in server.process.text(), 'the refusal names no attribute')

    events = server.monitor()
    answered(road.dynamic('coa', 'User-Name = ann', 'Session-Timeout = %d' % (server.session('ann')['uptime'] // 1000 + 3)), 'CoA-ACK')
    down = events.expect('session-down', 15, user='ann')
    stop = road.free.record(Acct_Status_Type='Stop', User_Name='ann')
    expect(stop['Acct-Terminate-Cause'] == 'Session-Timeout' and stop['Class'] == '0x0a0b', 'the Stop after %s: %s' % (down, stop))
    end(server, clients)


@case
def dae_profile_by_group(lab):
    """Mikrotik-Group names a profile: what of it may change does."""
    road = RadiusRoad(lab, USERS)
    tree = road.tree(incoming={})
    tree['profiles'].append({'name': 'short', 'idle-timeout': '77s'})
    server = lab.adit(road.srv, configs.write(tree))
    client = road.client('ann', 'wonder-land')
    road.works(server, client, 'ann')
    answered(road.dynamic('coa', 'User-Name = ann', 'Mikrotik-Group = "short"'), 'CoA-ACK')
    expect(road.attributes(server, 'ann')['idle-timeout'] == '1m17s', 'the profile is not in force: %s' % road.attributes(server, 'ann'))
    end(server, [client])


@case
def dae_what_is_not_believed_gets_no_answer(lab):
    """RFC 5176 2.3, 3.3, 3.4, 6: a wrong secret, no signature, an old timestamp, a stranger."""
    road, server, clients = two_users(lab)
    secret = freeradius.SECRET.encode()
    for words in ({'secret': 'not-it'}, {'sign': False}):
        text = road.dynamic('disconnect', 'User-Name = ann', timeout=1, **words)
        expect('Received Disconnect' not in text, 'an answer to %s: %s' % (words, text))
    now = int(time.time())
    name = radius.text(radius.USER_NAME, 'ann')
    old = radius.Packet(radius.DISCONNECT_REQUEST, 1, attributes=[name, radius.number(radius.EVENT_TIMESTAMP, now - 1000)]).request_octets(secret)
    good = radius.Packet(radius.DISCONNECT_REQUEST, 2, attributes=[radius.text(radius.USER_NAME, 'nobody'), radius.number(radius.EVENT_TIMESTAMP, now)])
    good = good.request_octets(secret)
    junk = [b'', b'\x28', good[:19], good[:-1], b'\x28\x03\xff\xff' + good[4:], os.urandom(200), good[:4] + bytes(16) + good[20:], bytes((1,)) + good[1:]]
    replies = raw(road, old, *junk, timeout=0.5)
    expect(replies == [None] * (1 + len(junk)), 'an answer to %s' % [n for n, r in enumerate(replies) if r])
    first, again = raw(road, good, good)
    expect(first and first.code == radius.DISCONNECT_NAK and first.number(radius.ERROR_CAUSE) == 503, 'the good one: %s' % (first and first.code))
    expect(again and again.octets() == first.octets(), 'the repeat got another answer')
    road.aaa.address('wire', NOBODY + '/24')
    road.aaa.run('ip', 'route', 'replace', '10.1.1.0/24', 'dev', 'wire', 'src', NOBODY)
    text = road.dynamic('disconnect', 'User-Name = ann', timeout=1)
    expect('Received Disconnect' not in text, 'an answer to a stranger: %s' % text)
    expect({s['user'] for s in server.sessions()} == {'ann', 'bob'}, 'a session was ended by what is not to be believed')
    end(server, clients)


@case
def dae_duplicates_act_once(lab):
    """RFC 5080 2.2.2: the same request again gets the same answer, and ends nothing that came meanwhile."""
    road, server, clients = two_users(lab)
    events = server.monitor()
    request = radius.Packet(radius.DISCONNECT_REQUEST, 7, attributes=[radius.text(radius.USER_NAME, 'ann'), radius.number(radius.EVENT_TIMESTAMP, int(time.time()))])
    request = request.request_octets(freeradius.SECRET.encode())
    port = 40000

    def once():
        done = road.aaa.run(sys.executable, '-c', ASK.replace('s.connect', 's.bind(("", %d)); s.connect' % port), NAS, 3799, 2, stdin='=' + request.hex())
        return bytes.fromhex(done.stdout.strip().replace('-', ''))
    first = once()
    expect(first[:1] == bytes((radius.DISCONNECT_ACK,)), 'the first: %s' % first.hex())
    events.expect('session-down', user='ann')
    events.expect('session-up', user='ann')
    expect(once() == first, 'the repeat got another answer')
    one = server.session('ann')['id']
    answered(road.dynamic('coa', 'User-Name = ann', 'Idle-Timeout = 333'), 'CoA-ACK')
    expect(server.session('ann')['id'] == one, 'the repeat ended the next session')
    end(server, clients)


@case
def dae_a_flood_of_forgeries_is_borne(lab):
    """Twenty thousand packets of somebody who does not know the secret: no answer, no harm, and a good request gets through."""
    road, server, clients = two_users(lab)
    flood = '''
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("%s", 3799))
for n in range(20000):
    try:
        s.send(bytes((43, n & 255, 0, 38)) + os.urandom(16) + bytes((80, 18)) + os.urandom(16))
    except OSError:
        pass
''' % NAS
    road.aaa.run(sys.executable, '-c', flood, deadline=60)
    poll(lambda: 'Received CoA-ACK' in road.dynamic('coa', 'User-Name = ann', 'Idle-Timeout = 444'), 'a good request gets through', 10)
    expect(road.attributes(server, 'ann')['idle-timeout'] == '7m24s', 'CoA after the flood')
    lines = len(server.process.text().splitlines())
    expect(lines < 400, 'the log has %d lines' % lines)
    end(server, clients)


# What a CoA-Request may change, and what `show session` has then.
CHANGES = [
    (['Session-Timeout = 1000', 'Idle-Timeout = 500', 'Termination-Action = Default'],
     {'session-timeout': '16m40s', 'idle-timeout': '8m20s', 'termination-action': 0}),
    (['Class = 0x0a0b', 'Class += 0x0c'], {'class': ['0x0a0b', '0x0c']}),
    (['Port-Limit = 3'], {'port-limit': 3}),
    (['Mikrotik-Recv-Limit = 1', 'Mikrotik-Recv-Limit-Gigawords = 1', 'Mikrotik-Xmit-Limit = 2', 'Mikrotik-Xmit-Limit-Gigawords = 1', 'Mikrotik-Total-Limit = 3',
      'Mikrotik-Total-Limit-Gigawords = 1'], {'limit-bytes-in': str(2**32 + 1), 'limit-bytes-out': str(2**32 + 2), 'limit-bytes-total': str(2**32 + 3)}),
    (['Mikrotik-Group = "short"'], {'interim-update': '3m', 'idle-timeout': '8m20s'}),  # an attribute overrides the profile
]
# What it may not, beside a change that could be made: none of it is.
UNCHANGEABLE = ['Framed-Pool = "other"', 'Framed-IP-Netmask = 255.255.255.0', 'Framed-Route = "10.0.0.0/8"', 'Framed-MTU = 1300', 'Framed-Routing = Broadcast',
                'Framed-IPv6-Route = "2001:db8::/32"', 'Framed-IPv6-Pool = "six"', 'Framed-IPv6-Address = 2001:db8::1', 'Delegated-IPv6-Prefix = 2001:db8::/56',
                'MS-Primary-DNS-Server = 10.0.0.53', 'DNS-Server-IPv6-Address = 2001:db8::53', 'Mikrotik-Delegated-IPv6-Pool = "pd"', 'Tunnel-Type = L2TP',
                'MS-MPPE-Encryption-Policy = Encryption-Allowed', 'Mikrotik-Advertise-URL = "http://example.net"', 'Mikrotik-Advertise-Interval = 5',
                'Mikrotik-Host-IP = 10.0.0.1', 'WISPr-Session-Terminate-Time = "2030-01-01T00:00:00Z"']
UNUSABLE = ['Termination-Action = RADIUS-Request', 'Mikrotik-Group = "no-such-profile"', 'Mikrotik-Mark-Id = "two\\twords"', 'Ascend-Data-Rate = 1']


@case
def dae_every_change_that_may_be(lab):
    """RouterOS's list and RFC 5176's: each is in `show session` of that session, and of no other; what may not change takes all with it."""
    road = RadiusRoad(lab, USERS)
    tree = road.tree(incoming={})
    tree['profiles'].append({'name': 'short', 'idle-timeout': '77s', 'interim-update': '3m'})
    server = lab.adit(road.srv, configs.write(tree))
    clients = [road.client('ann', 'wonder-land'), road.client('bob', 'builder', 'bob')]
    before = server.session('ann')['id']
    server.session('bob')
    bob = road.attributes(server, 'bob')
    for given, wanted in CHANGES:
        answered(road.dynamic('coa', 'User-Name = ann', *given), 'CoA-ACK')
        wrong = differences(road.attributes(server, 'ann'), wanted)
        expect(not wrong, 'after %s: %s' % (given, wrong))
    kept = road.attributes(server, 'ann')
    for words, cause in [(w, 'Unsupported-Attribute') for w in UNCHANGEABLE + WITHOUT_EFFECT] + [(w, 'Invalid-Attribute-Value') for w in UNUSABLE]:
        twice = [words, words.replace(' =', ' +='), words.replace(' =', ' +=')] if words == 'Ascend-Data-Rate = 1' else [words]
        answered(road.dynamic('coa', 'User-Name = ann', 'Session-Timeout = 7', *twice), 'CoA-NAK', cause)
    answered(road.dynamic('coa', 'User-Name = ann', 'Mikrotik-Rate-Limit = "fast"', 'Session-Timeout = 7'), 'CoA-NAK', 'Invalid-Attribute-Value')
    answered(road.dynamic('coa', 'User-Name = ann'), 'CoA-NAK', 'Missing-Attribute')
    answered(road.dynamic('coa', 'User-Name = ann', 'Framed-IP-Address = 10.77.0.10', 'Session-Timeout = 7'), 'CoA-NAK', 'Session-Context-Not-Found')
    answered(road.dynamic('coa', 'Session-Timeout = 7'), 'CoA-NAK', 'Missing-Attribute')
    expect(road.attributes(server, 'ann') == kept, 'half of a CoA was done: %s' % road.attributes(server, 'ann'))
    expect(road.attributes(server, 'bob') == bob and server.session('ann')['id'] == before, 'another session was changed, or one ended')
    end(server, clients)


@case
def dae_changes_take_effect(lab):
    """The period of interim records; octets and silence that end a session, whose Stop has the Class it was changed to."""
    road, server, clients = two_users(lab, aaa={'interim-update': '1s'})
    events = server.monitor()

    def interims(user):
        return len(road.free.records(Acct_Status_Type='Interim-Update', User_Name=user))
    poll(lambda: interims('ann'), 'an interim record')
    answered(road.dynamic('coa', 'User-Name = ann', 'Acct-Interim-Interval = 90', 'Class = 0x0a', 'Class += 0x0b'), 'CoA-ACK')
    expect(road.attributes(server, 'ann')['interim-update'] == '1m30s', 'the period: %s' % road.attributes(server, 'ann'))
    ann, bob = interims('ann'), interims('bob')
    poll(lambda: interims('bob') >= bob + 5, 'records of who was not changed')
    expect(interims('ann') <= ann + 2, 'records of ann go on as before')  # one more may have been on its way, and the change's own
    answered(road.dynamic('coa', 'User-Name = bob', 'Idle-Timeout = 1'), 'CoA-ACK')
    events.expect('session-down', 20, user='bob')
    expect(road.free.record(Acct_Status_Type='Stop', User_Name='bob')['Acct-Terminate-Cause'] == 'Idle-Timeout', 'why bob was ended')
    answered(road.dynamic('coa', 'User-Name = ann', 'Mikrotik-Recv-Limit = 3000'), 'CoA-ACK')
    clients[0].namespace.run('ping', '-n', '-q', '-c', '1', '-s', '1200', INSIDE)
    expect(server.session('ann')['uptime'] > 0, 'ann was ended too early')
    for _ in range(3):
        clients[0].namespace.run('ping', '-n', '-q', '-c', '1', '-w', '2', '-s', '1200', INSIDE, check=False)
    events.expect('session-down', 20, user='ann')
    stop = road.free.record(Acct_Status_Type='Stop', User_Name='ann')
    expect(stop['Acct-Terminate-Cause'] == 'NAS-Request' and stop['Class'] == ['0x0a', '0x0b'], 'the Stop: %s' % stop)
    end(server, clients)


@case
def dae_forged_changes_change_nothing(lab):
    """RFC 5176 2.3, 6: a CoA-Request with another's secret, without signature, or with one octet that is another, wherever it is."""
    road, server, clients = two_users(lab)
    kept = road.attributes(server, 'ann')
    for words in ({'secret': 'not-it'}, {'sign': False}):
        text = road.dynamic('coa', 'User-Name = ann', 'Session-Timeout = 7', timeout=1, **words)
        expect('Received CoA' not in text, 'an answer to %s: %s' % (words, text))
    good = radius.Packet(radius.COA_REQUEST, 9, attributes=[radius.text(radius.USER_NAME, 'ann'), radius.number(radius.EVENT_TIMESTAMP, int(time.time())),
                                                            radius.number(27, 777)]).request_octets(freeradius.SECRET.encode())
    places = [1, *range(4, len(good))]
    bent = [good[:n] + bytes((good[n] ^ 1,)) + good[n + 1:] for n in places]
    replies = raw(road, *bent, timeout=0.02)
    expect(replies == [None] * len(bent), 'an answer to the octets %s' % [places[n] for n, reply in enumerate(replies) if reply])
    expect(road.attributes(server, 'ann') == kept, 'changed by a forgery: %s' % road.attributes(server, 'ann'))
    reply, = raw(road, good)
    expect(reply and reply.code == radius.COA_ACK and road.attributes(server, 'ann')['session-timeout'] == '12m57s', 'the good one: %s' % (reply and reply.code))
    end(server, clients)
