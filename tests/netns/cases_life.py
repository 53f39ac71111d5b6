# SPDX-License-Identifier: GPL-2.0-or-later
"""Ends and returns: kills, restarts, redialling, silence."""

import json

import capture
from lab import expect, poll
from road import SERVER, USERS, Road, load
from runner import case


@case
def kill_and_restart_leaves_nothing(lab):
    road = Road(lab)
    server = road.server(dict(USERS, crowd='p'))
    client = road.client(**{'keepalive-timeout': '2s', 'hello-interval': '2s'})
    road.works(server, client)
    clients = load(lab, road.cli, 10, '--redial', '--hello', '1', user='crowd', password='p')
    clients.expect_text('all-up', 20)
    server.kill()
    server.start()
    poll(lambda: len([i for i in road.srv.tunnels() if i.startswith('l2tp-')]) <= len(server.sessions()), 'what kill -9 left behind is gone')
    clients.expect_text('"down"', 30)
    poll(lambda: clients.text().count('all-up') == 2, 'ten are back', 40)
    road.works(server, client)
    clients.stop()
    poll(lambda: [s['user'] for s in server.sessions()] == ['alice'] or len(server.sessions()) == 1, 'only the client is left', 40)
    poll(lambda: road.srv.tunnels() == ['l2tp-alice'], 'no interface but that of alice is left')
    before = server.session('alice')['id']
    client.kill()
    client.start()
    poll(lambda: [s['id'] != before for s in server.sessions()] == [True], 'the new session, and that alone', 30)
    road.works(server, client)
    poll(lambda: len(road.cli.tunnels()) == 1, 'the client left nothing behind')
    client.stop()
    server.stop()


@case
def sigterm_says_stopccn(lab):
    """To every open tunnel, of either side; nothing is left."""
    road = Road(lab)
    server, client = road.server(dict(USERS, crowd='p')), road.client()
    road.works(server, client)
    crowd = load(lab, road.cli, 3, '--redial', user='crowd', password='p')
    crowd.expect_text('all-up', 20)
    server.stop()
    road.expect_sent('l2tp.avp.message_type == 4 && ip.src == ' + SERVER, 'a StopCCN of the server')
    crowd.expect_text('"down"')
    client.no_session()
    expect(not [i for i in road.srv.tunnels() if i.startswith('l2tp-')], 'interfaces are left: %s' % road.srv.tunnels())
    client.stop()


@case
def keepalive_drops_a_silent_peer(lab):
    """RouterOS's keepalive: silence, then five echoes, one a second, then the end."""
    road = Road(lab)
    server = road.server(**{'keepalive-timeout': '2s'})
    client = road.client(**{'keepalive-timeout': '2s'})
    road.works(server, client)
    events, at_client = server.monitor(), client.monitor()
    road.mid.run('ip', 'link', 'set', 'to-cli', 'down')
    events.expect('session-down', 20, user='alice')
    at_client.expect('session-down', 20)
    poll(lambda: not [i for i in road.srv.tunnels() if i.startswith('l2tp-')], 'its interface is gone')
    road.mid.run('ip', 'link', 'set', 'to-cli', 'up')
    server.session('alice', 40)
    client.stop()
    server.stop()


@case
def redial_with_back_off(lab):
    """No server at first: attempts come further and further apart; once there is one, the client gets in."""
    road = Road(lab)
    client = road.client(**{'retransmit': 1, 'retransmit-timeout': '200ms'})

    def dials():
        out = capture.tshark(road.wire.path, 'l2tp.avp.message_type == 1', ['-T', 'fields', '-e', 'l2tp.avp.assigned_tunnel_id', '-e', 'frame.time_epoch'])
        first = {}
        for line in out.splitlines():
            tunnel, when = line.split('\t')[:2]
            first.setdefault(tunnel, float(when))
        return sorted(first.values())
    poll(lambda: len(dials()) >= 3, 'three attempts', 40, 0.5)
    times = dials()
    expect(times[2] - times[1] > times[1] - times[0], 'attempts do not come further apart: %s' % times)
    server = road.server()
    road.works(server, client)
    client.stop()
    server.stop()


@case
def server_restarts_and_client_comes_back(lab):
    road = Road(lab)
    server, client = road.server(), road.client()
    road.works(server, client)
    server.stop()
    client.no_session()
    server.start()
    road.works(server, client)
    client.stop()
    server.stop()


@case
def default_route_keeps_the_way_to_the_server(lab):
    road = Road(lab)
    before = road.cli.routes()
    road.srv.address('lo', '203.0.113.9/32')
    server, client = road.server(), road.client(**{'add-default-route': True})
    _, at_client = road.works(server, client)

    def way(to):
        return json.loads(road.cli.run('ip', '-json', 'route', 'get', to).stdout)[0]
    poll(lambda: way('203.0.113.9').get('dev') == at_client['interface'], 'the world is behind the tunnel')
    expect(way(SERVER).get('dev') == 'wire', 'the server itself is routed into its own tunnel: %s' % way(SERVER))
    road.cli.expect_ping('203.0.113.9', 'through the tunnel')
    client.stop()
    poll(lambda: road.cli.routes() == before, 'the routes are as they were before')
    server.stop()
