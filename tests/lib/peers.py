# SPDX-License-Identifier: GPL-2.0-or-later
"""xl2tpd with pppd, as server or as client: the peers that adit meets in tests/vm. They need /dev/ppp."""

import os
import signal

from lab import poll

METHODS = {'pap': 'pap', 'chap': 'chap', 'mschap1': 'mschap', 'mschap2': 'mschap-v2'}

LNS = '''[global]
port = 1701
%(listen)saccess control = no
auth file = %(folder)s/%(name)s.tunnel
debug avp = no
debug network = no
debug state = yes
debug tunnel = yes

[lns default]
ip range = 10.9.0.10-10.9.0.250
local ip = 10.9.0.1
require authentication = yes
hostname = peer-lns
name = peer-lns
ppp debug = yes
pppoptfile = %(folder)s/%(name)s.options
length bit = yes
%(extra)s
'''

LAC = '''[global]
port = 1701
access control = no
auth file = %(folder)s/%(name)s.tunnel
debug avp = no
debug network = no
debug state = yes
debug tunnel = yes

%(sections)s
'''

SECTION = '''[lac %(label)s]
lns = %(server)s
hostname = peer-lac
autodial = yes
redial = yes
redial timeout = 2
max redials = 50
require authentication = no
ppp debug = yes
pppoptfile = %(folder)s/%(label)s.options
length bit = yes
%(extra)s
'''

OPTIONS = '''debug
nodetach
nodefaultroute
noipdefault
nobsdcomp
nodeflate
novj
mtu 1400
mru 1400
lcp-echo-interval 2
lcp-echo-failure 4
'''


def options(ppp):
    """What all pppds have, and `ppp`: more lines. CCP is off unless they are about MPPE."""
    return OPTIONS + ''.join(line + '\n' for line in ([] if any('mppe' in line for line in ppp) else ['noccp']) + list(ppp))


def log_line(lab, name):
    return 'logfile %s\n' % log_path(lab, name)


def log_path(lab, name):
    """What the pppds of one xl2tpd log."""
    return '%s/%s.pppd.log' % (lab.folder, name)


def expect_log(lab, name, text, deadline=15):
    def found():
        if not os.path.exists(log_path(lab, name)):
            return False
        with open(log_path(lab, name), errors='replace') as f:
            return text in f.read()
    poll(found, '%s logs "%s"' % (name, text), deadline, 0.2)


def write(path, text):
    with open(path, 'w') as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(text)


def tunnel_options(secret, hidden):
    return ('challenge = yes\n' if secret else '') + ('hidden bit = yes\n' if hidden else '')


def start(lab, namespace, name, config, secret):
    write(os.path.join(lab.folder, name + '.conf'), config)
    write(os.path.join(lab.folder, name + '.tunnel'), '* * %s\n' % secret if secret else '')
    # pppd keeps its bundles and the owners of its interfaces in /run, for all namespaces: two with a ppp0 take each other's for dead.
    run = os.path.join(lab.folder, namespace.role + '.run')
    os.makedirs(run, exist_ok=True)
    own_run = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /run && exec "$@"', run]
    path = os.path.join(lab.folder, name)
    return namespace.start(name, *own_run, 'xl2tpd', '-D', '-c', path + '.conf', '-C', path + '.control', '-p', path + '.pid', '-s', path + '.tunnel')


def secrets(users):
    """pppd reads its users from fixed places; in the machine /etc/ppp is a tmpfs of its own."""
    lines = ''.join('"%s" * "%s" *\n' % item for item in sorted(users.items()))
    for path in ('/etc/ppp/chap-secrets', '/etc/ppp/pap-secrets'):
        write(path, lines)
    write('/etc/ppp/options', '')


def server(lab, namespace, method, secret=None, hidden=False, ipv6=True, name='xl2tpd-server', ppp=(), address=None):
    """Without `address` it receives on all, and answers from the first of its namespace."""
    lines = options(ppp) + 'auth\nname peer-lns\nrequire-%s\nms-dns 10.9.0.53\n' % METHODS[method]
    lines += '+ipv6\nipv6cp-accept-local\n' if ipv6 else 'noipv6\n'
    lines += log_line(lab, name)
    write(os.path.join(lab.folder, name + '.options'), lines)
    listen = 'listen-addr = %s\n' % address if address else ''
    return start(lab, namespace, name, LNS % {'folder': lab.folder, 'name': name, 'listen': listen, 'extra': tunnel_options(secret, hidden)}, secret)


def client_options(user, password, method=None, ipv6=True, ppp=()):
    lines = options(ppp) + 'noauth\nuser "%s"\npassword "%s"\nrefuse-eap\n' % (user, password)
    lines += ''.join('refuse-%s\n' % word for other, word in METHODS.items() if method and other != method)
    return lines + ('+ipv6\n' if ipv6 else 'noipv6\n')


def client(lab, namespace, server_address, user, password, method=None, secret=None, hidden=False, ipv6=True, name='xl2tpd-client', ppp=()):
    write(os.path.join(lab.folder, name + '.options'), client_options(user, password, method, ipv6, ppp) + log_line(lab, name))
    section = SECTION % {'folder': lab.folder, 'label': name, 'server': server_address, 'extra': tunnel_options(secret, hidden)}
    return start(lab, namespace, name, LAC % {'folder': lab.folder, 'name': name, 'sections': section}, secret)


def many_clients(lab, namespace, users, name='xl2tpd-clients', method=None, ppp=()):
    """One xl2tpd that dials once for each user; `users` is a dict of (user, password) to the server's address to dial. Each needs an
    address of its own: the kernel finds a tunnel by the socket's four numbers, so a second one to the same address would be deaf."""
    return dial_all(lab, namespace, [(user, password, address) for (user, password), address in users.items()], name, method, ppp)


def dial_all(lab, namespace, calls, name='xl2tpd-clients', method=None, ppp=()):
    """One xl2tpd that dials each of `calls`: (user, password, server's address)."""
    sections = ''
    for n, (user, password, address) in enumerate(calls):
        label = '%s-%d-%s' % (name, n, user)
        write(os.path.join(lab.folder, label + '.options'), client_options(user, password, method, ppp=ppp) + log_line(lab, name))
        sections += SECTION % {'folder': lab.folder, 'label': label, 'server': address, 'extra': ''}
    return start(lab, namespace, name, LAC % {'folder': lab.folder, 'name': name, 'sections': sections}, None)


def pppds_of(xl2tpd):
    return [int(pid) for pid in os.popen('ps -o pid= --ppid %d' % xl2tpd.pid).read().split()]


def end_newest_call(xl2tpd, how):
    """Sends the signal `how` to the pppd of the call that xl2tpd has connected last."""
    os.kill(max(pppds_of(xl2tpd)), how)


def kill(process):
    """Ends xl2tpd and its pppds as a crash would; they are its children, in its session's process group."""
    children = pppds_of(process)
    process.kill()
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
