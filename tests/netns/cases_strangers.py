# SPDX-License-Identifier: GPL-2.0-or-later
"""What strangers do who know no password: recorded logins, forged goodbyes. And peers that restart, and servers with several addresses."""

import hashlib
import json
import os
import sys

import capture
import configs
from lab import expect, poll
from road import CLIENT, SERVER, SERVER6, Road
from runner import case

HERE = os.path.dirname(os.path.abspath(__file__))
OUT, OUT6 = '203.0.113.9', '2001:db8:3::9'
LCP_REQUEST, CHAP_SUCCESS = 'c02101', 'c22303'
SENT = {'chap': '010405aa0305c22305', 'mschap1': '010405aa0305c22380'}  # what a LAC would have agreed to


class Strangers(Road):
    """The road, and a stranger behind the same router."""

    def __init__(self, lab, **options):
        super().__init__(lab, **options)
        self.out = lab.namespace('out')
        lab.wire(self.out, 'wire', self.mid, 'to-out')
        self.out.address('wire', OUT + '/24', OUT6 + '/64')
        self.mid.address('to-out', '203.0.113.254/24', '2001:db8:3::ffff/64')
        self.out.run('ip', 'route', 'add', 'default', 'via', '203.0.113.254')
        self.out.run('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:3::ffff')

    def stranger(self, what, *args, to=SERVER, name=None):
        return self.out.start(name or what, sys.executable, '-B', os.path.join(HERE, 'peer.py'), what, '--to', to, *args)

    def recorded(self):
        """Challenge, response and identifier of the login on the wire; the identifier is the response's."""
        def read():
            out = capture.tshark(self.wire.path, 'chap', ['-T', 'fields', '-e', 'chap.code', '-e', 'chap.identifier', '-e', 'chap.value'])
            rows = [line.split('\t') for line in out.splitlines()]
            said = {int(code): (value.replace(':', ''), identifier) for code, identifier, value in rows if value}
            return said if {1, 2} <= set(said) else None
        said = poll(read, 'a login on the wire', 10, 0.3)
        return said[1][0], said[2][0], str(int(said[2][1], 0))


def events(process):
    return [json.loads(line) for line in process.text().splitlines() if line.startswith('{')]


def frames(process):
    return [e['frame'] for e in events(process) if e['event'] == 'ppp']


def replayed(lab, method, recast=False):
    """alice logs in once; what was seen of it is given as proxy authentication from elsewhere, on the server's defaults."""
    road = Strangers(lab)
    server = road.server(methods=[method] if not recast else ['mschap2', 'mschap1'])
    client = road.client(allow=[method])
    road.works(server, client)
    challenge, response, identifier = road.recorded()
    client.stop()
    server.no_session()
    kind = 'mschap1' if recast else method
    if recast:  # an MS-CHAPv2 response is one of MS-CHAPv1 to another challenge (RFC 2759 8.2)
        whole = bytes.fromhex(response)
        challenge = hashlib.sha1(whole[:16] + bytes.fromhex(challenge) + b'alice').hexdigest()[:16]
        response = '00' * 24 + whole[24:48].hex() + '01'
    login = ['--type', '2' if kind == 'chap' else '5', '--id', identifier, '--challenge', challenge, '--response', response, '--sent', SENT[kind]]
    seen = road.stranger('replay', *login)
    poll(lambda: frames(seen), 'the server speaks PPP', 10)
    seen.wait(15)
    expect(all(f.startswith(LCP_REQUEST) for f in frames(seen)), 'it does not begin with LCP: %s' % frames(seen))
    expect(not server.sessions(), 'a recorded login got a session')
    stats = json.loads(server.ctl('show', 'l2tp', '--json').stdout)
    stats = stats[0] if isinstance(stats, list) else stats
    expect(stats.get('stats', stats)['proxy-ignored'] == 1, 'it is not counted: %s' % stats)
    server.stop()
    return road, login


@case
def a_recorded_chap_login_is_worth_nothing(lab):
    replayed(lab, 'chap')


@case
def a_recorded_mschapv1_login_is_worth_nothing(lab):
    replayed(lab, 'mschap1')


@case
def a_recorded_mschapv2_login_recast_is_worth_nothing(lab):
    replayed(lab, 'mschap2', recast=True)


def believed(lab, to, prefix, named):
    """The same octets, from a LAC that the server names: with the secret they are believed, without they are not."""
    road = Strangers(lab)
    server = road.server(methods=['chap'], address=None, l2tp={'secrets': [{'address': prefix, 'secret': 'between-us'}]},
                         **{'tunnel-authentication': True, 'proxy-peers': [{'address': named}], 'lcp-renegotiation': 'on-mismatch'})
    secret = bytes([7]) + b'wonder-land' + bytes(range(16))
    login = ['--type', '2', '--id', '7', '--challenge', bytes(range(16)).hex(), '--response', hashlib.md5(secret).hexdigest(), '--sent', SENT['chap']]
    lac = road.stranger('replay', *login, '--secret', 'between-us', name='lac', to=to)
    poll(lambda: any(f.startswith(CHAP_SUCCESS) for f in frames(lac)), 'the caller is let in: %s' % events(lac), 10)
    expect(not any(f.startswith(LCP_REQUEST) for f in frames(lac)), 'LCP was negotiated again')
    liar = road.stranger('replay', *login, '--secret', 'guessed', '--port', '1799', name='liar', to=to)
    liar.wait(20)
    expect(not frames(liar), 'a peer without the secret got as far as PPP: %s' % events(liar))
    lac.wait(15)
    server.stop()


@case
def proxy_authentication_takes_a_named_and_proven_lac(lab):
    believed(lab, SERVER, '203.0.113.0/24', OUT)


@case
def proxy_authentication_takes_a_named_and_proven_lac_over_ipv6(lab):
    believed(lab, SERVER6, '2001:db8:3::/48', OUT6)


@case
def forged_goodbyes_end_no_tunnel(lab):
    """A StopCCN for each tunnel id, in the client's name, with a guessed Assigned Tunnel ID."""
    road = Strangers(lab, watch=False)
    server, client = road.server(), road.client()
    road.works(server, client)
    tunnel = json.loads(server.ctl('show', 'tunnels', '--json').stdout)
    tunnel = (tunnel['tunnels'] if isinstance(tunnel, dict) else tunnel)[0]
    shown = json.loads(server.ctl('show', 'tunnel', str(tunnel['id']), '--json').stdout)
    shown = shown.get('tunnel', shown)
    wrong = shown['peer-id'] % 65535 + 1
    before = server.session('alice')['id']
    spray = road.stranger('spray', '--source', CLIENT, '--assigned', str(wrong), '--ns', str(shown['nr']), '--nr', str(shown['ns']), '--width', '1')
    spray.expect_text('sprayed', 40)

    def forged():
        now = json.loads(server.ctl('show', 'tunnel', str(tunnel['id']), '--json').stdout)
        return now.get('tunnel', now)['forged'] == 1
    poll(forged, 'the one with the right tunnel id has come')
    road.works(server, client)
    expect(server.session('alice')['id'] == before, 'the session is another one')
    client.stop()
    server.no_session()
    server.stop()


def restarted(lab, to):
    """Same address, port, host name and Assigned Tunnel ID; acknowledged once, it would repeat its SCCRQ no more (RFC 2661 5.8)."""
    road = Strangers(lab)
    server = road.server(address=None)
    peer = road.stranger('restart', '--seconds', '30', to=to)
    peer.expect_text('"answered"', 20)
    answer = next(e for e in events(peer) if e['event'] == 'answered')
    expect(answer['id'] != answer['before'], 'it is the old tunnel')
    print('answered after %.1f s' % answer['after'])
    server.stop()


@case
def a_restarted_peer_with_its_old_tunnel_id_comes_back(lab):
    restarted(lab, SERVER)


@case
def a_restarted_peer_with_its_old_tunnel_id_comes_back_over_ipv6(lab):
    restarted(lab, SERVER6)


def named(road, addresses, **options):
    """The client, with a hosts file of its own: `lns.example` has these addresses."""
    hosts = os.path.join(road.lab.folder, 'hosts')
    with open(hosts, 'w') as f:
        f.write(''.join('%s lns.example\n' % a for a in addresses))
    before = road.lab.wrapper
    road.lab.wrapper = ['unshare', '-m', 'sh', '-c', 'mount --bind %s /etc/hosts && exec "$@"' % hosts, 'sh'] + before
    client = road.client(connect_to='lns.example', **options)
    road.lab.wrapper = before
    return client


QUICK = {'retransmit': 1, 'retransmit-timeout': '200ms'}


@case
def a_dead_address_of_a_name_is_passed(lab):
    """The first one is dead: the next attempt takes the other."""
    road = Road(lab)
    server = road.server()
    client = named(road, ['192.0.2.66', SERVER], **QUICK)
    road.works(server, client)
    road.expect_sent('l2tp.avp.message_type == 1 && ip.dst == ' + SERVER, 'an SCCRQ to the living one')
    client.stop()
    server.stop()


@case
def an_address_without_a_route_is_passed_and_named(lab):
    """An AAAA that leads nowhere beside a good A; a route that is lost while the tunnel stands; and none at all."""
    road = Road(lab)
    server = road.server(**{'keepalive-timeout': '1s'})
    road.cli.run('ip', '-6', 'route', 'del', 'default')
    client = named(road, ['2001:db8:99::1', SERVER], **dict(QUICK, **{'hello-interval': '1s', 'keepalive-timeout': 'none'}))
    road.works(server, client)
    road.cli.run('ip', 'route', 'del', 'default')
    client.process.expect_text('does not answer: nothing can be sent: Network is unreachable', 10)
    client.stop()
    server.no_session(40)
    lost = road.lab.adit(road.cli, configs.write(configs.client('alice', 'wonder-land')), name='lost')
    lost.process.expect_text('no route to %s: Network is unreachable' % SERVER, 5)
    road.cli.run('ip', 'route', 'add', 'default', 'via', '198.51.100.254')
    road.works(server, lost)
    lost.stop()
    server.stop()
