# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses that a session must not get, from any source: the peer, a file, RADIUS, a server."""

import json
import os
import sys

import configs
from lab import expect, poll
from radius_road import NAS, PLUGINS, RADIUS, RadiusRoad
from road import CLIENT, INSIDE, SERVER, SERVER_TOO, Road
from runner import case

GATEWAY, GATEWAY6, RADIUS_BESIDE = '192.0.2.254', '2001:db8:1::ffff', '192.0.2.53'
RANGE = '10.99.0.0/16'
USERS = {'alice': 'wonder-land', 'bob': 'builder'}


def outer(namespace):
    """The address on a client's wire."""
    return next(w for w in namespace.run('ip', '-4', '-o', 'address', 'show', 'dev', 'wire').stdout.split() if '/' in w).split('/')[0]


def choose(client, server, wanted, user='alice', password='wonder-land'):
    """The client dials anew and asks for `wanted`; what it got, as both ends say."""
    before = {s['id'] for s in server.sessions()}
    client.reload(configs.write(configs.client(user, password, profile={'local-address': wanted})))
    client.ctl('client', 'down', 'uplink')
    client.no_session()
    client.ctl('client', 'up', 'uplink')
    at_client = client.session()
    at_server = poll(lambda: next((s for s in server.sessions() if s['id'] not in before and s['user'] == user), None), 'the new session', 15)
    expect(at_client['local-address'] == at_server['remote-address'], 'the ends differ: %s, %s' % (at_client, at_server))
    return at_server['remote-address']


class ByHand:
    """ppp_user.py as a process: each of its steps, and what it says of them."""

    number = 0

    def __init__(self, road, *steps):
        ByHand.number += 1  # each has a log of its own
        self.process = road.cli.start('by-hand-%d' % ByHand.number, sys.executable, '-B', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ppp_user.py'), '--to', SERVER,
                                      '--port', '0', '--name', 'alice', '--password', 'wonder-land', *steps)

    def said(self, event, count=1):
        """Waits for the event; its last one."""
        def found():
            lines = [json.loads(line) for line in self.process.text().splitlines() if line.startswith('{')]
            got = [line for line in lines if line['event'] == event]
            ended = [line for line in lines if line['event'] in ('silence', 'ended', 'refused')]
            expect(len(got) >= count or not ended, 'waiting for %s: %s' % (event, ended))
            return len(got) >= count and got[count - 1]
        return poll(found, 'by-hand says %s' % event, 30, 0.1)


@case
def a_hostile_choice_is_naked_with_our_offer(lab):
    """What no client of ours would ask for: loopback, multicast, reserved, the server's end of the link. RFC 1332 3.3: a Nak with our offer."""
    wanted = ('127.0.0.53', '224.0.0.5', '240.0.0.1', '255.255.255.255', '0.1.2.3', INSIDE, GATEWAY, SERVER, CLIENT)
    road = Road(lab)
    server = road.server(methods=('pap',), profile={'accept-remote-address': ['0.0.0.0/0']})
    for address in wanted:
        user = ByHand(road, 'ask=' + address, 'settle')
        answer = user.said('answer')
        expect(answer['code'] == 3 and answer['address'].startswith('10.64.'), 'asked for %s: %s' % (address, answer))
        opened = user.said('open')
        expect(opened['acknowledged'] and opened['address'].startswith('10.64.'), 'after %s: %s' % (address, opened))
        expect(server.session('alice')['remote-address'] == opened['address'], 'the server has another address')
        user.process.kill()
        server.ctl('disconnect', 'alice')
        server.no_session()
    server.stop()


@case
def ipcp_renegotiated_and_begun_anew(lab):
    """RFC 1661 5.3: another address while open is answered with the old one, and the session lives; 3.7: so it does when its only NCP was
    terminated and begins again."""
    road = Road(lab)
    server = road.server(methods=('pap',), profile={'accept-remote-address': [RANGE], 'use-ipv6': 'no'})
    user = ByHand(road, 'ask=10.99.0.7', 'settle', 'terminate', 'settle', 'ask=10.99.0.8', 'settle', 'terminate', 'ask=10.99.0.9', 'settle')
    user.said('done')
    first = server.session('alice')
    lines = [json.loads(line) for line in user.process.text().splitlines()]
    answers = [(line['asked'], line['code'], line['address']) for line in lines if line['event'] == 'answer']
    address = next(line['address'] for line in lines if line['event'] == 'open')
    expect(answers[1:] == [('10.99.0.8', 3, address), ('10.99.0.9', 3, address)], 'answers: %s, address %s' % (answers, address))
    opened = [(line['address'], line['acknowledged']) for line in lines if line['event'] == 'open']
    expect(opened == [(address, True)] * 4, 'openings: %s' % opened)
    expect(first['remote-address'] == address and len(server.sessions()) == 1, 'sessions: %s' % server.sessions())
    expect('session down' not in server.process.text(), 'the session did not live')
    user.process.kill()
    server.ctl('disconnect', 'alice')
    server.no_session()
    server.stop()


@case
def a_peer_chooses_nothing_that_others_need(lab):
    """With accept-remote-address a peer asks for the gateway, the server's addresses, a RADIUS server, an outer address: it is told our offer."""
    road = Road(lab)
    tree = configs.server(USERS, profile={'accept-remote-address': ['0.0.0.0/0']})  # as careless as can be
    tree['plugins'] = PLUGINS
    tree['radius'] = {'servers': [{'address': RADIUS_BESIDE, 'secret': 'unused'}]}
    server = lab.adit(road.srv, configs.write(tree))
    bob = road.client('bob', 'builder', 'other')
    server.session('bob')
    alice = road.client()
    server.session('alice')
    for wanted, why in ((GATEWAY, 'a next hop of this machine\'s routes'), (SERVER, 'an address of this machine'),
                        (SERVER_TOO, 'an address of this machine'), (RADIUS_BESIDE, 'a RADIUS server'),
                        (outer(bob.namespace), 'the outer address of a tunnel'), (CLIENT, 'the outer address of the session\'s own tunnel')):
        got = choose(alice, server, wanted)
        expect(got.startswith('10.64.'), 'asked for %s and got %s' % (wanted, got))
        server.process.expect_text('address requested by the peer refused: address %s is %s' % (wanted, why))
        road.cli.expect_ping(INSIDE, 'with the offer, after asking for %s' % wanted)
        expect(road.srv.ping(GATEWAY) == 1, 'the gateway is gone')
    got = choose(alice, server, '8.8.8.8')
    expect(got == '8.8.8.8', 'the file lets a peer choose 8.8.8.8, and it got %s' % got)
    for process in (alice, bob, server):
        process.stop()


@case
def a_peer_chooses_within_its_range(lab):
    """An address of the range is the peer's, once; what is outside, or another's, is answered with our offer."""
    road = Road(lab)
    server = road.server(USERS, profile={'accept-remote-address': [RANGE]})
    alice = road.client()
    server.session('alice')
    for wanted in ('8.8.8.8', '10.98.255.255', '10.100.0.0'):
        got = choose(alice, server, wanted)
        expect(got.startswith('10.64.'), 'asked for %s and got %s' % (wanted, got))
    server.process.expect_text('address requested by the peer refused: 8.8.8.8 is not within accept-remote-address')
    expect(choose(alice, server, '10.99.0.7') == '10.99.0.7', 'no address of the range')
    road.cli.expect_ping(INSIDE, 'with its own choice')
    road.srv.expect_ping('10.99.0.7', 'to its own choice')
    bob = road.client('bob', 'builder', 'other', profile={'local-address': '10.99.0.7'})
    got = server.session('bob')['remote-address']
    expect(got.startswith('10.64.'), 'two have 10.99.0.7' if got == '10.99.0.7' else 'bob has %s' % got)
    for process in (alice, bob, server):
        process.stop()


@case
def files_and_pools_keep_to_themselves(lab):
    """A user's fixed address that is the gateway is refused with the reason; a pool around the outer addresses gives others."""
    road = Road(lab)
    users = {'alice': 'wonder-land', 'bad': {'password': 'p1', 'remote-address': GATEWAY}, 'own': {'password': 'p2', 'remote-address': CLIENT},
             'mine': {'password': 'p3', 'remote-address': SERVER_TOO}}
    server = road.server(users, pool=CLIENT + '-198.51.100.9')
    alice = road.client()
    found = server.ctl('check', check=False).stdout
    expect('secrets mine: remote-address %s is this machine\'s own on wire' % SERVER_TOO in found, 'check does not tell: %s' % found)
    got = server.session('alice')['remote-address']
    expect(got != CLIENT and got.startswith('198.51.100.'), 'alice has %s' % got)
    alice.stop()
    for user, password, reason in (('bad', 'p1', 'remote-address %s is a next hop of this machine\'s routes' % GATEWAY),
                                   ('own', 'p2', 'remote-address %s is the outer address of the session\'s own tunnel' % CLIENT),
                                   ('mine', 'p3', 'remote-address %s is an address of this machine' % SERVER_TOO)):
        client = road.client(user, password)
        server.process.expect_text('session refused: ' + reason)
        expect(not client.sessions(), '%s is in' % user)
        client.stop()
    expect(road.srv.ping(GATEWAY) == 1, 'the gateway is gone')
    server.stop()


@case
def a_client_keeps_its_gateway_and_its_server(lab):
    """A server that gives the client the address of the client's gateway is refused; one whose inner address is its outer one gets no route."""
    road = Road(lab)
    gateway = '198.51.100.254'
    server = road.server({'alice': {'password': 'wonder-land', 'remote-address': gateway}})
    client = road.client()
    client.process.expect_text('the server gives us an address that can\'t be used: %s is a next hop of this machine\'s routes' % gateway)
    expect(gateway not in road.cli.run('ip', 'address').stdout, 'the client has its gateway\'s address')
    expect(road.cli.ping(gateway) == 1, 'the gateway is gone')
    at_client = client.session(key='interface')
    expect('local-address' not in at_client, 'IPv4 is up, too: %s' % at_client)  # IPv6 is none the worse
    server.reload(configs.write(configs.server({'alice': 'wonder-land'}, inside=SERVER)))
    client.ctl('client', 'down', 'uplink')
    client.no_session()
    client.ctl('client', 'up', 'uplink')
    client.session(key='local-address')
    client.process.expect_text('the server\'s inner address %s is the outer address of the session\'s own tunnel: no route leads to it' % SERVER)
    server.process.expect_text('local-address %s is the address at which the peer reaches this tunnel' % SERVER)
    expect('dev wire' in road.cli.run('ip', 'route', 'get', SERVER).stdout, 'the way to the server leads into the tunnel')
    road.srv.expect_ping(server.session('alice')['remote-address'], 'through the tunnel')
    client.stop()
    server.stop()


@case
def radius_lets_a_peer_choose_within_the_range(lab):
    """Framed-IP-Address 255.255.255.255: the profile's range holds, and without one the pool does."""
    road = RadiusRoad(lab, {'any': ('p', ['Framed-IP-Address = 255.255.255.255']), 'bad': ('q', ['Framed-IP-Address = ' + RADIUS]),
                            'route': ('r', ['Framed-Route = "%s/32 0.0.0.0 1"' % RADIUS, 'Framed-Route += "172.20.0.0/16"'])})
    server = road.nas(profile={'accept-remote-address': [RANGE]})
    client = road.client('any', 'p')
    server.session('any')
    for wanted in (RADIUS, NAS, GATEWAY, '8.8.8.8'):
        got = choose(client, server, wanted, 'any', 'p')
        expect(got.startswith('10.64.'), 'asked for %s and got %s' % (wanted, got))
    expect(choose(client, server, '10.99.3.4', 'any', 'p') == '10.99.3.4', 'no address of the range')
    server.reload(configs.write(road.tree()))
    got = choose(client, server, '10.99.3.5', 'any', 'p')
    expect(got.startswith('10.64.'), 'no range is configured, and it got %s' % got)
    server.process.expect_text('lets the peer choose its address, and no profile has a range for it: set accept-remote-address')
    client.stop()
    bad = road.client('bad', 'q')
    server.process.expect_text('session refused: remote-address %s is' % RADIUS)
    bad.stop()
    routed = road.client('route', 'r')
    server.session('route')
    server.process.expect_text('route %s is a RADIUS server' % RADIUS)
    poll(lambda: any(r['dst'] == '172.20.0.0/16' for r in road.srv.routes()), 'the other route')
    expect(not any(r['dst'] == RADIUS for r in road.srv.routes()), 'a route to the RADIUS server leads to the user')
    routed.stop()
    server.stop()
