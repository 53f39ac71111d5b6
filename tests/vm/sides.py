# SPDX-License-Identifier: GPL-2.0-or-later
"""A server's and a client's namespace inside of the machine, and what goes between them."""

from lab import expect, poll, transfer

SERVER, CLIENT = '192.0.2.1', '192.0.2.2'


def two_sides(lab, ours=None, hidden=False, needs=(), forbids=()):
    """Namespaces srv and cli, joined; a capture on the wire that judges what comes from the addresses in `ours`. xl2tpd reads hidden AVPs, but hides
    none of its own: it only sends the Random Vector."""
    srv, cli = lab.namespace('srv'), lab.namespace('cli')
    lab.wire(srv, 'wire', cli, 'wire')
    srv.address('wire', SERVER + '/24')
    cli.address('wire', CLIENT + '/24')
    srv.capture('wire', 'udp', sources=ours or [], forbids=forbids,
                needs=[*needs, *(['l2tp.avp.hidden == 1 && ip.src == ' + ours[0]] if hidden else [])])
    return srv, cli


def ppp_up(namespace, deadline=20):
    """The first ppp interface with an address."""
    def found():
        for name in sorted(n for n in namespace.interfaces() if n.startswith('ppp')):
            if ' inet ' in namespace.run('ip', 'address', 'show', 'dev', name, check=False).stdout:
                return name
        return None
    return poll(found, 'a ppp interface with an address in ' + namespace.role, deadline, 0.2)


def both_ways(srv, cli, server_inside, client_inside):
    """Ping and TCP from each end to the other."""
    cli.expect_ping(server_inside, 'client to server')
    srv.expect_ping(client_inside, 'server to client')
    # By time: a few octets fit into the sender's buffer, and iperf3 stops before the receiver has read any.
    expect(transfer(srv, cli, server_inside, seconds=1) > 0, 'TCP from client to server carries nothing')
    expect(transfer(cli, srv, client_inside, seconds=1) > 0, 'TCP from server to client carries nothing')


def ipv6_both_ways(srv, srv_interface, cli, cli_interface):
    """Link-local pings: IPV6CP gives no more, and needs no more, than an identifier at each end (RFC 5072)."""
    def link_local(namespace, interface):
        for line in namespace.run('ip', '-6', '-o', 'address', 'show', 'dev', interface, check=False).stdout.splitlines():
            if 'scope link' in line:
                return line.split(' inet6 ')[1].split()[0].split('/')[0]
        return None
    theirs = poll(lambda: link_local(srv, srv_interface), 'a link-local address at the server', 20, 0.2)
    mine = poll(lambda: link_local(cli, cli_interface), 'a link-local address at the client', 20, 0.2)
    cli.expect_ping('%s%%%s' % (theirs, cli_interface), 'IPv6, client to server')
    srv.expect_ping('%s%%%s' % (mine, srv_interface), 'IPv6, server to client')


def inside_of(namespace, interface):
    """The interface's own address and its peer's."""
    words = namespace.run('ip', '-4', '-o', 'address', 'show', 'dev', interface).stdout.split()
    at = words.index('inet')
    peer = words[words.index('peer') + 1] if 'peer' in words else words[at + 1]
    return words[at + 1].split('/')[0], peer.split('/')[0]
