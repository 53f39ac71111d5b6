# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets in, and by which method; what a tunnel keeps secret."""

import configs
from lab import expect, poll
from road import CLIENT, SERVER, Road
from runner import case


def right_and_wrong(lab, method):
    road = Road(lab)
    server = road.server(methods=[method])
    events = server.monitor()
    client = road.client(password='not-that', allow=[method])
    expect(events.expect('tunnel-up')['peer-name'], 'a tunnel comes up without a name')
    refused = events.expect('auth-done', user='alice')
    expect(refused['cause'] != 0, 'a wrong password is accepted: %s' % refused)
    expect(not server.sessions() and not client.sessions(), 'a session stands in spite of a wrong password')
    client.reload(configs.write(configs.client('alice', 'wonder-land', allow=[method])))
    road.works(server, client)
    client.stop()
    server.no_session()
    server.stop()


@case
def pap_right_and_wrong(lab):
    right_and_wrong(lab, 'pap')


@case
def chap_right_and_wrong(lab):
    right_and_wrong(lab, 'chap')


@case
def mschap1_right_and_wrong(lab):
    right_and_wrong(lab, 'mschap1')


@case
def mschap2_right_and_wrong(lab):
    right_and_wrong(lab, 'mschap2')


@case
def client_that_knows_only_pap_gets_it(lab):
    """RFC 1661 6.2: the server asks for its strongest method first and follows the client's Nak through the allowed list."""
    road = Road(lab)
    server, client = road.server(methods=['mschap2', 'chap', 'pap']), road.client(allow=['pap'])
    road.works(server, client)
    road.expect_sent('pap', 'PAP on the wire')
    client.stop()
    server.stop()


@case
def client_refuses_weak_method(lab):
    road = Road(lab)
    server, client = road.server(methods=['pap']), road.client(allow=['mschap2'])
    server.monitor().expect('link-down')
    expect(not server.sessions() and not client.sessions(), 'a session stands although no method was agreed')
    expect(road.sent('pap') == 0, 'the client told its password in clear')
    client.stop()
    server.stop()


@case
def a_server_that_asks_for_pap_gets_no_password(lab):
    """The default `allow`: an impostor at the server's address would get the password in clear."""
    road = Road(lab)
    server, client = road.server(methods=['pap']), road.client(allow=None)
    server.monitor().expect('link-down')
    expect(road.sent('pap') == 0, 'the client told its password in clear')
    client.reload(configs.write(configs.client('alice', 'wonder-land', allow='all')))
    road.works(server, client)
    expect('pap: the password is sent to the server in clear' in client.process.text(), 'no word of warning')
    client.stop()
    server.stop()


@case
def a_server_that_asks_for_chap_is_warned_about(lab):
    road = Road(lab)
    server, client = road.server(methods=['chap']), road.client(allow=None)
    road.works(server, client)
    expect('chap: the server requests a weak method' in client.process.text(), 'no word of warning')
    client.stop()
    server.stop()


@case
def a_refused_password_is_not_tried_again_soon(lab):
    """Six tries in half a minute would lock the account in many a directory."""
    road = Road(lab)
    server = road.server(methods=['mschap2'])
    events = server.monitor()
    client = road.client(password='not-that', **{'redial-refused-min': '20s', 'redial-refused-max': '40s'})
    events.expect('auth-done', user='alice')
    waiting = poll(lambda: next((c for c in client.list('io.adit.session.ListClients', 'clients') if c['status'] == 'waiting'), None), 'a pause', 5)
    expect(15000 < waiting['next-attempt'] < 25000, 'the pause after a refusal: %s' % waiting)
    client.reload(configs.write(configs.client('alice', 'wonder-land')))
    road.works(server, client)
    client.stop()
    server.stop()


@case
def tunnel_secret_right_and_wrong(lab):
    """RFC 2661 5.1.1: both ends challenge; a wrong secret never gets as far as a call."""
    road = Road(lab)
    server = road.server(l2tp={'secrets': [{'address': '198.51.100.0/24', 'secret': 'between us'}]}, **{'tunnel-authentication': True})
    client = road.client(l2tp={'secrets': [{'address': '192.0.2.0/24', 'secret': 'something else'}]})
    road.expect_sent('l2tp.avp.message_type == 4', 'a StopCCN for a wrong secret')
    expect(road.sent('l2tp.avp.message_type == 11') == 0, 'a call was answered in spite of a wrong secret')
    client.reload(configs.write(configs.client('alice', 'wonder-land', l2tp={'secrets': [{'address': '192.0.2.0/24', 'secret': 'between us'}]})))
    road.works(server, client)
    client.stop()
    server.stop()


@case
def hidden_avps(lab):
    """RFC 2661 4.3, both ways."""
    road = Road(lab)
    secrets = {'secrets': [{'address': '0.0.0.0/0', 'secret': 'between us'}]}
    server = road.server(l2tp=secrets, **{'hide-avps': True})
    client = road.client(l2tp=secrets, **{'hide-avps': True})
    road.works(server, client)
    for address in (SERVER, CLIENT):
        road.expect_sent('l2tp.avp.hidden == 1 && ip.src == %s' % address, 'something hidden from ' + address)
    client.stop()
    server.stop()
