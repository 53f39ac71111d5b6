# SPDX-License-Identifier: GPL-2.0-or-later
"""MPPE between a server and a client: who gets it, what is on the wire, and what loss does to it. tshark judges."""

import configs
from lab import expect, poll, transfer
from radius_road import RadiusRoad
from road import INSIDE, Road
from runner import case

PLUGINS = ['l2tp', 'ipcp', 'ipv6cp', 'ccp', 'tun', 'pap', 'chap', 'mschap', 'secrets']
NO_KEYS = 'ccp is required and cannot be offered: authentication made no keys'
CLEAR, ENCRYPTED = 'ppp.protocol == 0x0021 || ppp.protocol == 0x0057', 'ppp.protocol == 0x00fd'


def server_tree(profile, **options):
    return dict(configs.server({'alice': 'wonder-land'}, profile=profile, **options), plugins=PLUGINS)


def client_tree(profile, **options):
    return dict(configs.client('alice', 'wonder-land', profile=dict({'use-ipv6': 'no'}, **profile), **options), plugins=PLUGINS)


class Ends:
    """Both daemons, whose profiles change from one dial to the next."""

    def __init__(self, lab):
        self.road = Road(lab)
        self.server = lab.adit(self.road.srv, configs.write(server_tree({'use-encryption': 'no'})))
        self.client = lab.adit(self.road.cli, configs.write(client_tree({'use-encryption': 'no'})))
        self.road.ends(self.server, self.client)

    def redial(self, at_server, at_client, methods=('mschap2',), **client):
        self.client.ctl('client', 'down', 'uplink')
        self.client.no_session()
        self.server.no_session()
        self.server.reload(configs.write(server_tree(at_server, methods=methods)))
        self.client.reload(configs.write(client_tree(at_client, **client)))
        self.client.ctl('client', 'up', 'uplink')

    def encoding(self):
        """What both ends say, once they say the same."""
        def found():
            words = [str(end.session().get('encoding', '')) for end in (self.server, self.client)]
            return words[0] == words[1] and (words[0] or None)
        return poll(found, 'both ends have the same encoding', 15)

    def pings(self, n=5):
        at_server, _ = self.road.ends(self.server, self.client)
        for _ in range(n):
            self.client.namespace.expect_ping(INSIDE, 'client to server')
            self.road.srv.expect_ping(at_server['remote-address'], 'server to client')

    def refused(self, text):
        """No session comes up, and the log says why."""
        poll(lambda: text in self.server.process.text() or text in self.client.process.text(), 'the log says %r' % text, 20)
        expect(not self.server.sessions() or not any('remote-address' in s and s['state'] == 'up' for s in self.server.sessions()), 'a session is up')

    def stop(self):
        self.client.stop()
        self.server.stop()


def on(use, **more):
    return dict({'use-encryption': use}, **more)


@case
def mppe_who_gets_it(lab):
    """use-encryption at both ends: the session is encrypted where both want it, goes on in clear where nobody insists, and ends where one does."""
    ends = Ends(lab)
    for at_server, at_client, encoding in (
            (on('yes'), on('yes'), 'MPPE128 stateless'), (on('required'), on('yes'), 'MPPE128 stateless'), (on('yes'), on('required'), 'MPPE128 stateless'),
            (on('required', **{'encryption-types': ['56-bit']}), on('required'), 'MPPE56 stateless'),
            (on('yes', **{'encryption-types': ['40-bit']}), on('required'), 'MPPE40 stateless'),
            (on('required', **{'encryption-mode': 'stateful'}), on('yes'), 'MPPE128 stateful')):
        ends.redial(at_server, at_client)
        expect(ends.encoding() == encoding, 'not %s: %s' % (encoding, ends.encoding()))
        clear, encrypted = ends.road.sent(CLEAR), ends.road.sent(ENCRYPTED)
        ends.pings()
        ends.road.expect_sent(ENCRYPTED, 'encrypted frames')
        poll(lambda: ends.road.sent(ENCRYPTED) >= encrypted + 20, 'all pings and answers encrypted', 5, 0.3)
        expect(ends.road.sent(CLEAR) == clear, 'data in clear with %s' % encoding)
    for at_server, at_client in ((on('no'), on('yes')), (on('yes'), on('no')), (on('no'), on('no'))):
        ends.redial(at_server, at_client)
        ends.pings()
        expect(not ends.server.session().get('encoding'), 'encrypted, and one end said no')
    ends.stop()


@case
def mppe_required_and_refused(lab):
    """A session ends that must be encrypted and cannot be: the other end does not want it, or nobody made keys."""
    ends = Ends(lab)
    ends.redial(on('required'), on('no'))
    ends.refused('ccp is required: the peer rejected it')
    ends.redial(on('no'), on('required'))
    ends.refused('ccp is required: the peer rejected it')
    ends.redial(on('required'), on('yes'), methods=('pap',), allow=['pap'])
    ends.refused('ccp is required and cannot be offered: authentication made no keys')
    ends.redial(on('required', **{'encryption-types': ['128-bit']}), on('yes', **{'encryption-types': ['40-bit']}))
    ends.refused('ccp is required: ')
    expect(ends.road.sent(CLEAR) == 0, 'data in clear')
    ends.redial(on('required'), on('required'))
    expect(ends.encoding() == 'MPPE128 stateless', 'it does not work any more')
    ends.pings()
    ends.stop()


@case(limit=120)
def mppe_required_without_keys(lab):
    """PAP and CHAP-MD5 make no keys: a session that requires encryption ends at either end, with a reason that names it."""
    ends = Ends(lab)
    for method in ('pap', 'chap'):
        for at_server, at_client, end in ((on('required'), on('yes'), ends.server), (on('yes'), on('required'), ends.client)):
            before = end.process.text().count(NO_KEYS)
            ends.redial(at_server, at_client, methods=(method,), allow=[method])
            poll(lambda end=end, before=before: end.process.text().count(NO_KEYS) > before, '%s says why it ends with %s' % (end.name, method), 20)
            expect(not any(s['state'] == 'up' for s in end.sessions()), 'a session is up at %s' % end.name)
    expect(ends.road.sent(CLEAR) == 0, 'data in clear')
    ends.stop()


def loses_fragments(lab, mode, least):
    """A lost fragment costs its packet, and in stateful mode those until the reset; afterwards full frames pass."""
    road = Road(lab)
    wanted = on('required', **{'encryption-mode': mode})
    server = road.server(mrru=1600, profile=wanted)
    client = road.client(mrru=1600, links=2, profile=wanted)
    road.works(server, client)
    poll(lambda: [end.session().get('links') for end in (server, client)] == [2, 2], 'two links', 15)
    expect([end.session().get('encoding') for end in (server, client)] == ['MPPE128 ' + mode] * 2, 'not encrypted: %s' % server.session())
    for rule in ('add table inet loss', 'add chain inet loss road { type filter hook forward priority 0; }',
                 'add rule inet loss road meta l4proto udp numgen random mod 100 < 3 drop'):
        road.mid.run('nft', rule)
    passed = road.cli.ping(INSIDE, count=150, size=1500 - 28, interval=0.03)
    road.mid.run('nft', 'delete table inet loss')
    expect(passed >= least, '%s: %d of 150 pings' % (mode, passed))
    poll(lambda: road.cli.ping(INSIDE, count=1, size=1500 - 28) == 1, 'the reset is done', 15)
    expect(road.cli.ping(INSIDE, count=20, size=1500 - 28, interval=0.05) == 20, '%s: packets are lost without loss' % mode)
    expect(road.sent(CLEAR) == 0, 'data in clear')
    client.stop()
    server.stop()


@case(limit=90)
def mppe_stateless_over_a_bundle_with_loss(lab):
    loses_fragments(lab, 'stateless', 75)


@case(limit=90)
def mppe_stateful_over_a_bundle_with_loss(lab):
    loses_fragments(lab, 'stateful', 20)


@case
def mppe_survives_loss(lab):
    """Both modes on a path that loses 3 %: what gets through is what was sent, and afterwards nothing is missing."""
    ends = Ends(lab)
    for mode, least in (('stateless', 70), ('stateful', 20)):
        ends.redial(on('required', **{'encryption-mode': mode}), on('required'))
        expect(ends.encoding() == 'MPPE128 ' + mode, 'not %s' % mode)
        for rule in ('add table inet loss', 'add chain inet loss road { type filter hook forward priority 0; }',
                     'add rule inet loss road meta l4proto udp numgen random mod 100 < 3 drop'):
            ends.road.mid.run('nft', rule)
        answer = ends.road.cli.run('ping', '-c', '300', '-i', '0.02', '-W', '1', '-q', INSIDE, check=False, deadline=60).stdout
        ends.road.mid.run('nft', 'delete table inet loss')
        received = int(answer.split(' received')[0].split()[-1])
        expect(received >= 3 * least, '%s: %s' % (mode, answer))
        ends.road.cli.run('ping', '-c', '2', '-W', '2', INSIDE, check=False)  # the reset, if one is due
        ends.pings()
    ends.stop()


@case
def mppe_with_keys_of_radius(lab):
    """RFC 2548 2.4: FreeRADIUS's keys are those that the client has from its password, of either version. Its policy (allowed) is enough for the
    server to encrypt, and no attribute of MPPE is without effect."""
    road = RadiusRoad(lab, {'ann': ('wonder-land', [])})

    def tree(method):
        return dict(road.tree(methods=[method]), plugins=PLUGINS + ['radius'])

    server = lab.adit(road.srv, configs.write(tree('mschap2')))
    client = lab.adit(road.cli, configs.write(dict(configs.client('ann', 'wonder-land', profile=on('yes')), plugins=PLUGINS)))
    for method in ('mschap2', 'mschap1'):
        client.ctl('client', 'down', 'uplink')
        client.no_session()
        server.reload(configs.write(tree(method)))
        client.ctl('client', 'up', 'uplink')
        poll(lambda: [end.session().get('encoding') for end in (server, client)] == ['MPPE128 stateless'] * 2, 'both ends encrypt with %s' % method, 15)
        clear = road.sent(CLEAR)
        road.works(server, client, 'ann')
        expect(road.sent(CLEAR) == clear, 'data in clear')
    expect('no loaded plugin acts' not in server.process.text(), 'attributes without effect')
    client.stop()
    server.no_session()
    server.stop()


@case(limit=90)
def mppe_over_a_bundle(lab):
    """Compression before the bundle (RFC 1990 2): full frames are encrypted once, then cut over two links; a lost link takes nothing along."""
    road = Road(lab)
    server = road.server(mrru=1600, profile=on('required'))
    client = road.client(mrru=1600, links=2, profile=on('required'))
    at_server, at_client = road.works(server, client)
    poll(lambda: [end.session().get('links') for end in (server, client)] == [2, 2], 'two links', 15)
    expect([end.session().get('encoding') for end in (server, client)] == ['MPPE128 stateless'] * 2, 'not encrypted: %s' % server.session())
    for reverse in (False, True):
        expect(transfer(road.srv, road.cli, INSIDE, octets=2 << 20, reverse=reverse) > 0, 'TCP stalls')
    expect(road.cli.ping(INSIDE, count=5, size=1500 - 28, interval=0.2) == 5, 'full frames do not pass')
    road.expect_sent('l2tp && mp', 'frames of the bundle')
    expect(road.sent(CLEAR) == 0, 'data in clear')
    client.stop()
    server.stop()
