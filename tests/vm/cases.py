#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of ring 4, run inside the machine by tests/vm/run."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
sys.dont_write_bytecode = True
import cases_mp  # noqa: E402,F401
import cases_mppe  # noqa: E402,F401
import cases_unit  # noqa: E402,F401
import configs  # noqa: E402
import lab as labs  # noqa: E402
import peers  # noqa: E402
import runner  # noqa: E402
from lab import expect, poll  # noqa: E402
from runner import case  # noqa: E402
from sides import CLIENT, SERVER, both_ways, inside_of, ipv6_both_ways, ppp_up, two_sides  # noqa: E402

USERS = {'alice': 'wonder-land', 'bob@example.org': 'b u i l d', **{'user%02d' % n: 'pass%02d' % n for n in range(50)},
         **cases_mp.USERS, **cases_mppe.USERS}
# ---- without adit: the machine and the peers themselves ----

def peers_alone(lab, hidden):
    srv, cli = two_sides(lab)
    peers.server(lab, srv, 'mschap2', 'tunnel-secret', hidden)
    peers.client(lab, cli, SERVER, 'alice', USERS['alice'], 'mschap2', 'tunnel-secret', hidden)
    mine, theirs = inside_of(cli, ppp_up(cli))
    both_ways(srv, cli, theirs, mine)


@case(needs_adit=False)
def peers_dial_each_other(lab):
    peers_alone(lab, False)


@case(needs_adit=False)
def peers_dial_each_other_with_hidden_avps(lab):
    peers_alone(lab, True)


# ---- a peer dials adit ----

def tunnel_words(secret, hidden):
    l2tp = {'secrets': [{'address': '192.0.2.0/24', 'secret': secret}]} if secret else None
    options = {'hide-avps': True} if hidden else {}
    if secret:
        options['tunnel-authentication'] = True
    return l2tp, options


def peer_dials(lab, method, secret=None, hidden=False):
    srv, cli = two_sides(lab, [SERVER], hidden)
    l2tp, options = tunnel_words(secret, hidden)
    server = lab.adit(srv, configs.write(configs.server(USERS, methods=[method], l2tp=l2tp, **options)))
    events = server.monitor()
    wrong = peers.client(lab, cli, SERVER, 'alice', 'not-that', method, secret, hidden, name='wrong')
    refused = events.expect('auth-done', 25, user='alice')
    expect(refused['cause'] != 0, 'a wrong password is accepted')
    expect(not server.sessions(), 'a session is up in spite of a wrong password')
    peers.kill(wrong)

    right = peers.client(lab, cli, SERVER, 'alice', USERS['alice'], method, secret, hidden)
    session = server.session('alice', 30)
    interface = ppp_up(cli)
    mine, theirs = inside_of(cli, interface)
    expect(mine == session['remote-address'], 'pppd has %s, adit gave %s' % (mine, session['remote-address']))
    both_ways(srv, cli, theirs, mine)
    ipv6_both_ways(srv, session['interface'], cli, interface)
    right.stop()
    server.no_session(20)
    server.stop()


@case
def peer_dials_with_pap(lab):
    peer_dials(lab, 'pap')


@case
def peer_dials_with_chap(lab):
    peer_dials(lab, 'chap')


@case
def peer_dials_with_mschap1(lab):
    peer_dials(lab, 'mschap1')


@case
def peer_dials_with_mschap2(lab):
    peer_dials(lab, 'mschap2')


@case
def peer_dials_with_tunnel_secret(lab):
    peer_dials(lab, 'mschap2', 'between us')


@case
def peer_dials_with_hidden_avps(lab):
    peer_dials(lab, 'mschap2', 'between us', True)


@case
def peer_is_killed_and_comes_back(lab):
    srv, cli = two_sides(lab, [SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS, **{'keepalive-timeout': '2s'})))
    first = peers.client(lab, cli, SERVER, 'alice', USERS['alice'])
    server.session('alice', 30)
    peers.kill(first)
    peers.client(lab, cli, SERVER, 'alice', USERS['alice'], name='again')
    mine, theirs = inside_of(cli, ppp_up(cli, 40))
    poll(lambda: [s for s in server.sessions() if s.get('remote-address') == mine] and len(server.sessions()) == 1, 'one session, the new one', 40, 0.5)
    both_ways(srv, cli, theirs, mine)
    server.stop()


@case
def server_is_killed_and_peer_comes_back(lab):
    srv, cli = two_sides(lab, [SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS)))
    peers.client(lab, cli, SERVER, 'alice', USERS['alice'])
    server.session('alice', 30)
    ppp_up(cli)
    server.kill()
    server.start()
    server.session('alice', 60)
    mine, theirs = inside_of(cli, ppp_up(cli, 30))
    both_ways(srv, cli, theirs, mine)
    server.stop()


@case(limit=120)
def fifty_peers_at_once(lab):
    users = {(user, USERS[user]): '192.0.2.%d' % (100 + n) for n, user in enumerate(u for u in USERS if u.startswith('user'))}
    srv, cli = two_sides(lab, list(users.values()))
    srv.address('wire', *['%s/24' % address for address in users.values()])
    # All are in one namespace, whose answers to the server leave through the first of their interfaces.
    server = lab.adit(srv, configs.write(configs.server(USERS, address=None, profile={'source-check': False})))
    peers.many_clients(lab, cli, users)
    poll(lambda: len(server.sessions()) == 50 and len([n for n in cli.tunnels() if n.startswith('ppp')]) == 50, 'fifty sessions', 90, 1)
    expect(len({s['remote-address'] for s in server.sessions()}) == 50, 'an address was given twice')
    for session in server.sessions()[::10]:
        srv.expect_ping(session['remote-address'], session['user'])
    server.stop(40)


# ---- adit dials a peer ----

def adit_dials(lab, method, secret=None, hidden=False):
    srv, cli = two_sides(lab, [CLIENT], hidden)
    peers.server(lab, srv, method, secret, hidden)
    l2tp, options = tunnel_words(secret, hidden)
    options['allow'] = [method]
    client = lab.adit(cli, configs.write(configs.client('alice', 'not-that', l2tp=l2tp, **options)))
    client.monitor().expect('link-down', 30)
    expect(not client.sessions(), 'a session is up in spite of a wrong password')
    client.reload(configs.write(configs.client('alice', USERS['alice'], l2tp=l2tp, **options)))
    session = client.session(deadline=30)
    interface = ppp_up(srv)
    theirs, mine = inside_of(srv, interface)
    both_ways(srv, cli, theirs, mine)
    ipv6_both_ways(srv, interface, cli, session['interface'])
    client.stop()


@case
def adit_dials_with_pap(lab):
    adit_dials(lab, 'pap')


@case
def adit_dials_with_chap(lab):
    adit_dials(lab, 'chap')


@case
def adit_dials_with_mschap1(lab):
    adit_dials(lab, 'mschap1')


@case
def adit_dials_with_mschap2(lab):
    adit_dials(lab, 'mschap2')


@case
def adit_dials_with_tunnel_secret(lab):
    adit_dials(lab, 'mschap2', 'between us')


@case
def adit_dials_with_hidden_avps(lab):
    adit_dials(lab, 'mschap2', 'between us', True)


@case
def peer_server_is_killed_and_adit_redials(lab):
    srv, cli = two_sides(lab, [CLIENT])
    first = peers.server(lab, srv, 'mschap2')
    client = lab.adit(cli, configs.write(configs.client('alice', USERS['alice'], **{'keepalive-timeout': '2s'})))
    client.session(deadline=30)
    events = client.monitor()
    peers.kill(first)
    events.expect('session-down', 30)
    peers.server(lab, srv, 'mschap2', name='again')
    client.session(deadline=60)
    theirs, mine = inside_of(srv, ppp_up(srv, 30))
    both_ways(srv, cli, theirs, mine)
    client.stop()


def main():
    parser = runner.parser(__doc__)
    parser.add_argument('--peers-only', action='store_true')
    parser.add_argument('--modules', required=True, help='the unpacked kernel package')
    args = parser.parse_args()
    labs.PATIENCE = float(os.environ.get('ADIT_TEST_PATIENCE', '4'))
    for module in ('ppp_generic', 'ppp_mppe', 'sch_netem', 'pppox', 'l2tp_core', 'l2tp_netlink', 'l2tp_ppp', 'tun', 'veth', 'af_packet', 'ipv6'):
        if subprocess.run(['modprobe', '-d', args.modules, module]).returncode != 0:
            print('vm: no module %s in %s' % (module, args.modules), flush=True)
    peers.secrets(USERS)
    sys.exit(runner.run(args, check_captures=False, peers_only=args.peers_only))


if __name__ == '__main__':
    main()
