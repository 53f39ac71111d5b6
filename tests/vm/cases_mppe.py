# SPDX-License-Identifier: GPL-2.0-or-later
"""CCP and MPPE (RFC 1962, RFC 3078) with pppd and the kernel's ppp_mppe."""

import configs
import peers
from lab import expect, poll
from runner import case
from sides import CLIENT, SERVER, both_ways, inside_of, ppp_up, two_sides
from traffic import survive_loss

USERS = {'mppe%d' % n: 'key %d' % n for n in range(16)}
IN_CLEAR = 'l2tp && (ppp.protocol == 0x0021 || ppp.protocol == 0x0057)'
ENCRYPTED = 'l2tp && ppp.protocol == 0x00fd'
STATEFUL_LEAST = 10  # of 100 pings: after a lost packet all are lost until the peer restarts


# ---- without adit ----

def peers_encrypt(lab, user, words, *ppp):
    srv, cli = two_sides(lab, needs=[ENCRYPTED], forbids=[IN_CLEAR])
    peers.server(lab, srv, 'mschap2', ppp=ppp)
    peers.client(lab, cli, SERVER, user, USERS[user], 'mschap2', ppp=ppp)
    mine, theirs = inside_of(cli, ppp_up(cli))
    both_ways(srv, cli, theirs, mine)
    peers.expect_log(lab, 'xl2tpd-client', 'MPPE %s compression enabled' % words)


@case(needs_adit=False)
def peers_encrypt_128_stateless(lab):
    peers_encrypt(lab, 'mppe0', '128-bit stateless', 'require-mppe-128')


# ---- a peer dials adit ----

def peer_dials_encrypted(lab, user, encoding, *ppp, method='mschap2', profile=None):
    srv, cli = two_sides(lab, [SERVER], needs=[ENCRYPTED], forbids=[IN_CLEAR])
    server = lab.adit(srv, configs.write(configs.server(USERS, methods=[method], profile={'use-encryption': 'required', **(profile or {})})))
    peers.client(lab, cli, SERVER, user, USERS[user], method, ppp=ppp)
    session = server.session(user, 30)
    mine, theirs = inside_of(cli, ppp_up(cli))
    both_ways(srv, cli, theirs, mine)
    expect(session['encoding'] == encoding, 'encoding is %r' % session['encoding'])
    survive_loss(srv, cli, theirs, mine, STATEFUL_LEAST if 'stateful' in encoding else 40)
    server.stop()


@case(limit=90)
def peer_dials_with_mppe_128(lab):
    peer_dials_encrypted(lab, 'mppe2', 'MPPE128 stateless', 'require-mppe-128')


@case(limit=90)
def peer_dials_with_mppe_40(lab):
    peer_dials_encrypted(lab, 'mppe3', 'MPPE40 stateless', 'require-mppe-40')


@case(limit=90)
def peer_dials_with_mppe_stateful(lab):
    peer_dials_encrypted(lab, 'mppe11', 'MPPE128 stateful', 'require-mppe-128', 'mppe-stateful', profile={'encryption-mode': 'stateful'})


@case(limit=90)
def peer_dials_with_mppe_and_mschap1(lab):
    peer_dials_encrypted(lab, 'mppe4', 'MPPE128 stateless', 'require-mppe-128', method='mschap1')


@case
def peer_that_does_not_encrypt_is_refused_where_it_is_required(lab):
    srv, cli = two_sides(lab, [SERVER], forbids=[IN_CLEAR + ' && ip.src == ' + SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS, profile={'use-encryption': 'required'})))
    events = server.monitor()
    peers.client(lab, cli, SERVER, 'mppe5', USERS['mppe5'], 'mschap2')
    events.expect('link-down', 40)
    expect(not ppp_has_address(cli), 'pppd has an address')


@case
def peer_that_does_not_encrypt_is_served_where_it_is_not_required(lab):
    srv, cli = two_sides(lab, [SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS, profile={'use-encryption': 'yes'})))
    peers.client(lab, cli, SERVER, 'mppe6', USERS['mppe6'], 'mschap2')
    session = server.session('mppe6', 30)
    mine, theirs = inside_of(cli, ppp_up(cli))
    both_ways(srv, cli, theirs, mine)
    expect('MPPE' not in session.get('encoding', ''), 'encoding is %r' % session.get('encoding'))
    server.stop()


@case
def peer_that_must_encrypt_is_told_no(lab):
    srv, cli = two_sides(lab, [SERVER])
    server = lab.adit(srv, configs.write(configs.server(USERS, profile={'use-encryption': 'no'})))
    peers.client(lab, cli, SERVER, 'mppe7', USERS['mppe7'], 'mschap2', ppp=['require-mppe-128'])
    peers.expect_log(lab, 'xl2tpd-client', 'MPPE required but peer', 30)
    server.ctl('show', 'sessions')


def ppp_has_address(namespace):
    return any(' inet ' in namespace.run('ip', 'address', 'show', 'dev', name, check=False).stdout for name in namespace.interfaces() if name.startswith('ppp'))


# ---- adit dials a peer ----

def adit_dials_encrypted(lab, user, encoding, *ppp, method='mschap2', profile=None):
    srv, cli = two_sides(lab, [CLIENT], needs=[ENCRYPTED], forbids=[IN_CLEAR])
    peers.server(lab, srv, method, ppp=ppp)
    client = lab.adit(cli, configs.write(configs.client(user, USERS[user], profile={'use-encryption': 'required', **(profile or {})}, allow=[method])))
    session = client.session(deadline=30)
    theirs, mine = inside_of(srv, ppp_up(srv))
    both_ways(srv, cli, theirs, mine)
    expect(session['encoding'] == encoding, 'encoding is %r' % session['encoding'])
    survive_loss(srv, cli, theirs, mine, STATEFUL_LEAST if 'stateful' in encoding else 40)
    client.stop()


@case(limit=90)
def adit_dials_with_mppe_128(lab):
    adit_dials_encrypted(lab, 'mppe8', 'MPPE128 stateless', 'require-mppe-128')


@case(limit=90)
def adit_dials_with_mppe_40(lab):
    adit_dials_encrypted(lab, 'mppe9', 'MPPE40 stateless', 'require-mppe-40')


@case(limit=90)
def adit_dials_with_mppe_stateful(lab):
    adit_dials_encrypted(lab, 'mppe12', 'MPPE128 stateful', 'require-mppe-128', 'mppe-stateful', profile={'encryption-mode': 'stateful'})


@case
def adit_refuses_a_server_that_does_not_encrypt(lab):
    srv, cli = two_sides(lab, [CLIENT], forbids=[IN_CLEAR + ' && ip.src == ' + CLIENT])
    peers.server(lab, srv, 'mschap2')
    client = lab.adit(cli, configs.write(configs.client('mppe10', USERS['mppe10'], profile={'use-encryption': 'required'})))
    client.monitor().expect('link-down', 40)
    poll(lambda: not client.sessions(), 'no session', 20)
    client.stop()
