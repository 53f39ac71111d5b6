# SPDX-License-Identifier: GPL-2.0-or-later
"""Multilink PPP (RFC 1990) with pppd and the kernel's multilink."""

import signal

import configs
import peers
from lab import expect, poll
from runner import case
from sides import CLIENT, SERVER, both_ways, inside_of, ppp_up, two_sides
from traffic import Stream, survive_loss

USERS = {'mp%d' % n: 'many links %d' % n for n in range(14)}
SECOND = '192.0.2.3'


def link_is_lost_and_comes_back(adit, xl2tpd, srv, cli, server_inside, *signals):
    """While data flows both ways. The bundle's first pppd is left alone: xl2tpd ends it with its call, and pppd then ends the whole bundle."""
    stream = Stream(srv, cli, server_inside)
    for how in signals:
        peers.end_newest_call(xl2tpd, how)
        poll(lambda: adit.sessions()[0]['links'] == 1, 'one link', 15, 0.1)
        stream.more()
        for tunnel in adit.list('io.adit.l2tp.ListTunnels', 'tunnels'):
            if tunnel['calls'] == 0 and tunnel['state'] == 'established':  # xl2tpd dials again when the tunnel has ended
                adit.call('io.adit.l2tp.CloseTunnel', id=str(tunnel['id']))
        poll(lambda: adit.sessions()[0]['links'] == 2, 'two links again', 30, 0.1)
        stream.more()
    stream.end()


def raise_mtu(namespace, mtu):
    """pppd leaves its interface at the MTU of one link, whatever MRRU was agreed on. Returns the interface."""
    interface = ppp_up(namespace)
    namespace.run('ip', 'link', 'set', interface, 'mtu', mtu)
    return interface


def ping_whole(srv, cli, server_inside, client_inside, largest):
    """Packets that must not be fragmented by IP, both ways."""
    for size in sorted({min(1500, largest), largest}):
        cli.expect_ping(server_inside, '%d octets to the server' % size, size=size - 28)
        srv.expect_ping(client_inside, '%d octets to the client' % size, size=size - 28)


# ---- without adit ----

def peers_bundle(lab, user, mrru, size, addresses):
    srv, cli = two_sides(lab)
    for address in addresses[1:]:
        srv.address('wire', address + '/24')
    ppp = ('multilink', 'mrru %d' % mrru)
    peers.server(lab, srv, 'mschap2', ppp=ppp)
    peers.dial_all(lab, cli, [(user, USERS[user], address) for address in addresses], method='mschap2', ppp=ppp)
    mine, theirs = inside_of(cli, raise_mtu(cli, mrru))
    raise_mtu(srv, mrru)
    both_ways(srv, cli, theirs, mine)
    ping_whole(srv, cli, theirs, mine, size)


@case(needs_adit=False)
def peers_bundle_two_links(lab):
    peers_bundle(lab, 'mp1', 8192, 8000, [SERVER, SECOND])


# ---- a peer dials adit ----

def peer_dials_bundle(lab, user, mrru, size, links=1, ppp=(), encryption=None, at_once=False):
    """The second link reaches adit when the first is up, or `at_once`. Returns the namespaces, adit, xl2tpd and both inner addresses."""
    srv, cli = two_sides(lab, [SERVER, SECOND], needs=['l2tp && ppp.protocol == 0x003d && ip.src == ' + SERVER])
    profile = {'use-encryption': encryption} if encryption else None
    server = lab.adit(srv, configs.write(configs.server(USERS, address=None, mrru=mrru, profile=profile)))
    if at_once:
        srv.address('wire', SECOND + '/24')
    xl2tpd = peers.dial_all(lab, cli, [(user, USERS[user], address) for address in [SERVER, SECOND][:links]], method='mschap2', ppp=['multilink', 'mrru %d' % mrru, *ppp])
    server.session(user, 30)
    if not at_once:
        srv.address('wire', SECOND + '/24')
    mine, theirs = inside_of(cli, raise_mtu(cli, mrru - 4 if encryption else mrru))
    poll(lambda: [s['links'] for s in server.sessions()] == [links], 'one session of %d links' % links, 30, 0.5)
    both_ways(srv, cli, theirs, mine)
    ping_whole(srv, cli, theirs, mine, size)
    return srv, cli, server, xl2tpd, theirs, mine


@case(limit=90)
def peer_dials_with_mrru_8192(lab):
    _, _, server, *_ = peer_dials_bundle(lab, 'mp3', 8192, 8000)
    server.stop()


@case(limit=90)
def peer_dials_with_short_sequence_numbers(lab):
    _, _, server, *_ = peer_dials_bundle(lab, 'mp4', 1600, 1500, ppp=['mpshortseq'])
    server.stop()


@case(limit=120)
def peer_loses_a_link_and_dials_again(lab):
    srv, cli, server, xl2tpd, theirs, mine = peer_dials_bundle(lab, 'mp6', 8192, 8000, 2)
    link_is_lost_and_comes_back(server, xl2tpd, srv, cli, theirs, signal.SIGKILL)
    survive_loss(srv, cli, theirs, mine, size=1500 - 28, least=20)
    server.stop()


@case(limit=120)
def peer_dials_with_two_encrypted_links(lab):
    """Linux decrypts no packet above 1500 octets, whatever MRRU was agreed on."""
    _, _, server, *_ = peer_dials_bundle(lab, 'mp11', 1500, 1496, 2, ppp=['require-mppe-128'], encryption='required')
    expect(server.session()['encoding'] == 'MPPE128 stateless', 'encoding is %r' % server.session()['encoding'])
    server.stop()


@case(limit=120)
def peer_dials_two_encrypted_links_at_once(lab):
    """Linux divides each packet over its links, those of IPCP and CCP, too: before the session is open, both links may be there."""
    _, _, server, *_ = peer_dials_bundle(lab, 'mp11', 1500, 1496, 2, ppp=['require-mppe-128'], encryption='required', at_once=True)
    expect(server.session()['encoding'] == 'MPPE128 stateless', 'encoding is %r' % server.session()['encoding'])
    server.stop()


@case
def peer_without_multilink_is_served(lab):
    srv, cli = two_sides(lab, [SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS, mrru=1600)))
    peers.client(lab, cli, SERVER, 'mp12', USERS['mp12'], 'mschap2')
    server.session('mp12', 30)
    mine, theirs = inside_of(cli, ppp_up(cli))
    both_ways(srv, cli, theirs, mine)
    server.stop()


@case
def peer_with_multilink_is_refused_it_where_it_is_disabled(lab):
    srv, cli = two_sides(lab, [SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS)))
    peers.client(lab, cli, SERVER, 'mp7', USERS['mp7'], 'mschap2', ppp=['multilink', 'mrru 1600'])
    server.session('mp7', 30)
    mine, theirs = inside_of(cli, ppp_up(cli))
    both_ways(srv, cli, theirs, mine)
    server.stop()


# ---- adit dials a peer ----

def adit_dials_bundle(lab, user, mrru, size, links=1):
    """Returns the namespaces, adit, the xl2tpd of the last link and both inner addresses."""
    srv, cli = two_sides(lab, [CLIENT], needs=['l2tp && ppp.protocol == 0x003d && ip.src == ' + CLIENT])
    srv.address('wire', SECOND + '/24')
    addresses = [SERVER, SECOND][:links]
    for n, address in enumerate(addresses):
        xl2tpd = peers.server(lab, srv, 'mschap2', ppp=['multilink', 'mrru %d' % mrru], name='xl2tpd-server-%d' % n, address=address)
    client = lab.adit(cli, configs.write(configs.client(user, USERS[user], connect_to=addresses, links=links, mrru=mrru)))
    client.session(deadline=30)
    poll(lambda: [s['links'] for s in client.sessions()] == [links], 'a session of %d links' % links, 30, 0.5)
    theirs, mine = inside_of(srv, raise_mtu(srv, mrru))
    both_ways(srv, cli, theirs, mine)
    ping_whole(srv, cli, theirs, mine, size)
    return srv, cli, client, xl2tpd, theirs, mine


@case(limit=90)
def adit_dials_with_mrru_8192(lab):
    _, _, client, *_ = adit_dials_bundle(lab, 'mp9', 8192, 8000)
    client.stop()


@case(limit=120)
def adit_dials_with_two_links(lab):
    srv, cli, client, xl2tpd, theirs, mine = adit_dials_bundle(lab, 'mp10', 8192, 8000, 2)
    link_is_lost_and_comes_back(client, xl2tpd, srv, cli, theirs, signal.SIGTERM, signal.SIGKILL)
    survive_loss(srv, cli, theirs, mine, size=1500 - 28, least=20)
    client.stop()


@case(limit=120)
def adit_dials_two_links_to_one_address(lab):
    """The server's kernel finds a tunnel by both addresses and ports: each link has a port of its own."""
    srv, cli = two_sides(lab, [CLIENT])
    peers.server(lab, srv, 'mschap2', ppp=['multilink', 'mrru 1600'])
    client = lab.adit(cli, configs.write(configs.client('mp13', USERS['mp13'], links=2, mrru=1600)))
    client.session(deadline=30)
    poll(lambda: [s['links'] for s in client.sessions()] == [2], 'a session of 2 links', 30, 0.5)
    theirs, mine = inside_of(srv, raise_mtu(srv, 1600))
    both_ways(srv, cli, theirs, mine)
    expect(srv.ping(mine, count=20, interval=0.05, size=1472) == 20, 'packets to adit are lost')
    client.stop()
