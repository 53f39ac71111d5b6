#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of ring 4, run inside the machine by tests/vm/run."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import peers  # noqa: E402
import runner  # noqa: E402
from lab import expect, poll, transfer  # noqa: E402
from runner import case  # noqa: E402

USERS = {'alice': 'wonder-land', 'bob@example.org': 'b u i l d', **{'user%02d' % n: 'pass%02d' % n for n in range(50)}}
SERVER, CLIENT = '192.0.2.1', '192.0.2.2'


def two_sides(lab, ours=None):
    """Namespaces srv and cli, joined; a capture on the wire that judges what comes from `ours`."""
    srv, cli = lab.namespace('srv'), lab.namespace('cli')
    lab.wire(srv, 'wire', cli, 'wire')
    srv.address('wire', SERVER + '/24')
    cli.address('wire', CLIENT + '/24')
    srv.capture('wire', 'udp', sources=[ours] if ours else [])
    return srv, cli


def ppp_up(namespace, deadline=20):
    """The first ppp interface with an address."""
    def found():
        for name in sorted(n for n in namespace.interfaces() if n.startswith('ppp')):
            if ' inet ' in namespace.run('ip', 'address', 'show', 'dev', name, check=False).stdout:
                return name
        return None
    return poll(found, 'a ppp interface with an address in ' + namespace.role, deadline, 0.2)


@case(needs_adit=False)
def peers_dial_each_other(lab):
    srv, cli = two_sides(lab)
    peers.server(lab, srv, 'mschap2', 'tunnel-secret')
    peers.client(lab, cli, SERVER, 'alice', USERS['alice'], 'mschap2', 'tunnel-secret')
    ppp_up(cli)
    cli.expect_ping('10.9.0.1')
    expect(transfer(srv, cli, '10.9.0.1', octets=262144) > 0, 'TCP carries nothing')


def main():
    parser = runner.parser(__doc__)
    parser.add_argument('--peers-only', action='store_true')
    parser.add_argument('--modules', required=True, help='the unpacked kernel package')
    args = parser.parse_args()
    labs.PATIENCE = float(os.environ.get('ADIT_TEST_PATIENCE', '4'))
    for module in ('ppp_generic', 'pppox', 'l2tp_core', 'l2tp_netlink', 'l2tp_ppp', 'tun', 'veth', 'af_packet', 'ipv6'):
        subprocess.run(['modprobe', '-d', args.modules, module], stderr=subprocess.DEVNULL)
    peers.secrets(USERS)
    sys.exit(runner.run(args, check_captures=False, peers_only=args.peers_only))


if __name__ == '__main__':
    main()
