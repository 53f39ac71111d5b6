# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daemon may still do once it is ready, and that it works without the rest."""

import os
import pwd
import subprocess

import configs
from lab import expect, poll
from radius_road import PLUGINS
from road import USERS, Road
from runner import case

NET_ADMIN, NET_BIND_SERVICE = 1 << 12, 1 << 10
HELPERS = {'adit-reader': 1 << 2, 'adit-device': 1 << 1}  # CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE
NOBODY = pwd.getpwnam('nobody')


def status(pid, thread=None):
    with open('/proc/%d/%s' % (pid, 'task/%d/status' % thread if thread else 'status')) as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)


def threads(pid):
    return [int(name) for name in os.listdir('/proc/%d/task' % pid)]


def limit(pid, name):
    with open('/proc/%d/limits' % pid) as f:
        return next(line[len(name):].split()[:2] for line in f if line.startswith(name))


def helpers(pid):
    """Children by name."""
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        return {status(int(word))['Name']: int(word) for word in f.read().split()}


def expect_powerless(facts, capabilities, what, user=NOBODY):
    expect(facts['Uid'].split() == [str(user.pw_uid)] * 4, '%s: uid %s' % (what, facts['Uid']))
    expect(facts['Gid'].split() == [str(user.pw_gid)] * 4, '%s: gid %s' % (what, facts['Gid']))
    expect('0' not in facts['Groups'].split(), '%s: groups %s' % (what, facts['Groups']))
    for name in ('CapInh', 'CapBnd', 'CapAmb'):
        expect(int(facts[name], 16) == 0, '%s: %s %s' % (what, name, facts[name]))
    for name in ('CapPrm', 'CapEff'):
        expect(int(facts[name], 16) == capabilities, '%s: %s %s, not %x' % (what, name, facts[name], capabilities))
    expect(facts['NoNewPrivs'] == '1', '%s: NoNewPrivs %s' % (what, facts['NoNewPrivs']))


def stopped_server(lab):
    """A server that has run once: its configuration and its folders are there."""
    road = Road(lab, watch=False)
    server = road.server()
    server.stop()
    return road, server


def serves_and_stops(road, server):
    """A client logs in, its session works; both end in order."""
    client = road.client()
    road.works(server, client)
    client.stop()
    server.stop()


@case
def root_is_given_up(lab):
    """Every thread: user, capabilities, no new ones, a system-call filter, no core file; and the work goes on with what is left: a login,
    a reload of files that only root may read, an orderly end."""
    road = Road(lab)
    server, client = road.server(), road.client()
    road.works(server, client)
    for adit in (server, client):
        pid = adit.process.pid
        expect(len(threads(pid)) > 3, '%s has %d threads' % (adit.name, len(threads(pid))))
        for thread in threads(pid):
            facts = status(pid, thread)
            what = '%s, thread %s' % (adit.name, facts['Name'])
            expect_powerless(facts, NET_ADMIN | NET_BIND_SERVICE, what)
            expect(not lab.has('libseccomp') or facts['Seccomp'] == '2', '%s: Seccomp %s' % (what, facts['Seccomp']))
        expect(limit(pid, 'Max core file size') == ['0', '0'], 'core files: %s' % limit(pid, 'Max core file size'))
        # Not dumpable: what is in /proc belongs to root, so that nobody of the same user looks into its memory.
        expect(os.stat('/proc/%d/mem' % pid).st_uid == 0, '%s is dumpable' % adit.name)
        # The device is opened by a helper where udev does not let everybody do it.
        names = {'adit-reader'} | (set() if os.stat('/dev/net/tun').st_mode & 0o6 == 0o6 else {'adit-device'})
        expect(set(helpers(pid)) == names, '%s has the helpers %s, not %s' % (adit.name, helpers(pid), names))
        for name, helper in helpers(pid).items():
            expect_powerless(status(helper), HELPERS[name], '%s of %s' % (name, adit.name))
            expect(os.stat('/proc/%d/mem' % helper).st_uid == 0, '%s of %s is dumpable' % (name, adit.name))
            held = [os.readlink('/proc/%d/fd/%s' % (helper, fd)) for fd in os.listdir('/proc/%d/fd' % helper)]
            expect(len(held) == 1 and held[0].startswith('socket:'), '%s holds %s' % (name, held))
    as_nobody = subprocess.run(['setpriv', '--reuid=nobody', '--clear-groups', 'cat', '/proc/%d/environ' % server.process.pid], capture_output=True)
    expect(as_nobody.returncode != 0, 'the same user may look into the daemon')

    # A file of root alone, in a folder of root alone.
    folder = os.path.join(lab.folder, 'conf.d')
    os.mkdir(folder, 0o700)
    with open(os.path.join(folder, 'more.yaml'), 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write('secrets: [{name: bob, password: builder, local-address: 10.99.0.1, remote-address: 10.99.0.2}]\n')
    expect(os.stat(server.config_path).st_uid == 0 and os.stat(server.config_path).st_mode & 0o77 == 0, 'the configuration is not root\'s alone')
    server.reload()
    client_of_bob = road.client('bob', 'builder', 'bob')
    server.session('bob')
    server.process.signal(1)
    poll(lambda: server.process.text().count('configuration loaded from') == 2, 'SIGHUP reloads, too')
    wrong = server.reload('nonsense: 1\n', check=False)
    expect(wrong.returncode == 1 and 'nonsense' in wrong.stdout + wrong.stderr, 'a wrong file: %s' % wrong)
    server.configure(configs.write(configs.server(USERS)))
    left = helpers(server.process.pid)
    for adit in (client_of_bob, client, server):
        adit.stop()
    poll(lambda: not [pid for pid in left.values() if os.path.exists('/proc/%d' % pid)], 'the helpers end with the daemon')
    expect(os.stat(server.state).st_uid == NOBODY.pw_uid, 'the state directory is of uid %d' % os.stat(server.state).st_uid)
    server.start()  # with what the last run left
    server.stop()


@case
def a_helper_that_dies_is_told(lab):
    """A reload says what it can't read; the daemon goes on."""
    road = Road(lab, watch=False)
    server = road.server()
    os.kill(helpers(server.process.pid)['adit-reader'], 9)
    refused = server.reload(check=False)
    expect(refused.returncode == 1 and 'Permission denied' in refused.stdout + refused.stderr, 'without its reader: %s' % refused)
    expect('until a restart' in server.process.text(), 'nothing says what is to be done:\n' + server.process.text())
    serves_and_stops(road, server)


@case
def an_unknown_user_is_refused(lab):
    road, server = stopped_server(lab)
    server.start_anew(wait=False, user='no-such-user')
    expect(server.process.wait() == 1 and "--user: there is no user `no-such-user'" in server.process.text(), server.process.text())
    # Root without a user to become keeps little more.
    server.start(user='root')
    facts = status(server.process.pid)
    expect_powerless(dict(facts, Groups=''), NET_ADMIN | NET_BIND_SERVICE, 'root', pwd.getpwnam('root'))
    expect(not helpers(server.process.pid), 'root has helpers')
    serves_and_stops(road, server)


@case
def a_state_directory_that_cannot_be_written(lab):
    """Read-only, full: refused with its path and what would be lost; `require-state: no` runs on."""
    tree = configs.server(USERS)
    road, server = stopped_server(lab)

    def mounted(options, filler):
        return ['unshare', '--mount', '--', 'sh', '-c', 'mount -t tmpfs -o %s none %s && %s; exec "$@"' % (options, server.state, filler), 'sh']
    full = mounted('size=64k', 'dd if=/dev/zero of=%s/filler bs=4k count=16 2>/dev/null' % server.state)
    read_only = mounted('size=64k', 'mount -o remount,ro %s' % server.state)
    small = mounted('size=64k', 'dd if=/dev/zero of=%s/filler bs=4k count=13 2>/dev/null' % server.state)  # holds a lock and a token
    for wrapper, cause in ((full, 'No space left on device'), (read_only, 'Read-only file system'), (small, 'full')):
        server.configure(configs.write(tree))
        server.start_anew(*wrapper, wait=False)
        expect(server.process.wait(15) == 1, 'it starts')
        text = server.process.text()
        for word in (server.state, cause, 'accounting', '--state-dir', '`require-state: no`'):
            expect(word in text, 'no "%s" in: %s' % (word, text))
        expect(' is ready' not in text, 'it is ready:\n' + text)
        server.configure(configs.write(dict(tree, **{'require-state': False})))
        server.start_anew(*wrapper)
        expect('loses accounting records' in server.process.text(), server.process.text())
        serves_and_stops(road, server)


@case
def started_as_its_unit_does(lab):
    """By another user, with CAP_NET_ADMIN from the ambient set and nothing else."""
    road, server = stopped_server(lab)
    home = os.path.join(lab.folder, 'run')
    os.mkdir(home)
    server.socket = os.path.join(home, 'adit.sock')
    for path in (home, server.state, server.config_path):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    server.start_anew('unshare', '--mount', '--', 'sh', '-c', 'mount -t tmpfs -o dev none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec "$@"', 'sh',
                      'setpriv', '--reuid=nobody', '--regid=%d' % NOBODY.pw_gid, '--clear-groups', '--inh-caps=-all,+net_admin', '--ambient-caps=+net_admin',
                      '--bounding-set=-all,+net_admin')
    facts = status(server.process.pid)
    expect(int(facts['CapBnd'], 16) == NET_ADMIN, 'without CAP_SETPCAP the bounding set stays, and is %s' % facts['CapBnd'])
    expect_powerless(dict(facts, CapBnd='0'), NET_ADMIN, 'started without root')
    expect(not helpers(server.process.pid), 'it has helpers: %s' % helpers(server.process.pid))
    client = road.client()
    road.works(server, client)
    server.reload()
    # Root's own file it can't read: the reload says so, and nothing changes.
    os.chown(server.config_path, 0, 0)
    refused = server.reload(check=False)
    expect(refused.returncode == 1 and 'Permission denied' in refused.stdout + refused.stderr, 'a file that it may not read: %s' % refused)
    road.works(server, client)
    # By its group it may, without a warning.
    os.chown(server.config_path, 0, NOBODY.pw_gid)
    os.chmod(server.config_path, 0o640)
    done = server.reload()
    expect('chmod' not in done.stdout + done.stderr, 'a warning for the daemon\'s own group: %s' % done)
    client.stop()
    server.stop()
    expect(not os.path.exists(server.socket), 'the socket is left behind')


@case
def check_sees_a_firewall(lab):
    """Without starting a program."""
    road = Road(lab, watch=False)
    server = road.server()
    out = server.ctl('check').stdout
    expect('firewall' not in out, 'a firewall where there is none: ' + out)
    road.srv.run('nft', 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }')
    out = server.ctl('check').stdout
    expect('drops unknown forwarded packets' in out and 'unknown incoming' not in out, out)
    road.srv.run('nft', 'add chain inet filter input { type filter hook input priority 0; policy drop; }; add table ip other; '
                 'add chain ip other pre { type filter hook prerouting priority 0; policy drop; }')
    out = server.ctl('check').stdout
    expect('unknown incoming' in out, out)
    server.stop()


def copies(pid, word):
    """Where the word is in the process's memory: a list of whether the place is locked. The word is never written whole in this program."""
    found, locked = [], []
    with open('/proc/%d/smaps' % pid) as f:
        for line in f:
            if '-' in line.split(' ')[0] and ':' not in line.split(' ')[0]:
                low, high = (int(x, 16) for x in line.split(' ')[0].split('-'))
                readable = line.split(' ')[1].startswith('rw')
            elif line.startswith('VmFlags:') and readable and high - low < 1 << 30:
                locked.append((low, high, ' lo' in line))
    with open('/proc/%d/mem' % pid, 'rb', buffering=0) as memory:
        for low, high, is_locked in locked:
            try:
                memory.seek(low)
                text = memory.read(high - low)
            except OSError:
                continue
            at = text.find(word)
            while at >= 0:
                found.append(is_locked)
                at = text.find(word, at + 1)
    return found


@case(limit=120)
def secrets_are_in_locked_memory(lab):
    """Once each, as the configuration has them, and nowhere else: a user's password, a tunnel's secret, a client's password, RADIUS secrets. What
    a reload takes out is wiped."""
    road = Road(lab, watch=False)

    def draw():
        return {kind: '%s-%s' % (kind, os.urandom(8).hex()) for kind in ('user', 'tunnel', 'radius', 'incoming')}

    def tree(words):
        """The RADIUS server is not there: it is asked for accounting all the same."""
        return dict(configs.server({'alice': words['user']}, l2tp={'secrets': [{'secret': words['tunnel']}]}, **{'tunnel-authentication': True}),
                    plugins=PLUGINS, aaa={'sources': ['secrets'], 'accounting': True},
                    radius={'servers': [{'address': '127.0.0.9', 'secret': words['radius']}],
                            'incoming': {'accept': True, 'secret': words['incoming']}})

    with open(lab.aditd, 'rb') as program:
        spills = b'__tsan_' in program.read()

    def held(adit, what, words):
        """Under ThreadSanitizer a vector register with a piece of the file goes to the stack of a thread that is started then."""
        if spills:
            return
        for kind, word in words.items():
            places = copies(adit.process.pid, word.encode())
            print('%s, %s: the %s secret is there %d times, %d of them locked' % (adit.name, what, kind, len(places), sum(places)), flush=True)
            expect(places == [True], '%s, %s: copies of the %s secret (is it locked?): %s' % (adit.name, what, kind, places))
    words = draw()
    server = lab.adit(road.srv, configs.write(tree(words)))
    held(server, 'at the start', words)
    for method in ('pap', 'chap', 'mschap1', 'mschap2'):
        changed = tree(words)
        changed['l2tp']['servers'][0]['authentication'] = [method]
        server.reload(configs.write(changed))
        client = road.client('alice', words['user'], **{'tunnel-secret': words['tunnel'], 'tunnel-authentication': True, 'allow': [method]})
        road.works(server, client)
        held(server, 'with a session by ' + method, words)
        held(client, 'with a session by ' + method, {kind: words[kind] for kind in ('user', 'tunnel')})
        client.stop()
        server.no_session()
    server.reload()
    held(server, 'after a reload', words)
    old, words = words, draw()
    server.reload(configs.write(tree(words)))
    held(server, 'after a change', words)
    for word in [] if spills else old.values():  # a tunnel that was closed keeps its secret for the rest of its 31 s
        poll(lambda word=word: not copies(server.process.pid, word.encode()), 'what the change took out is wiped', 45, 1.0)
    server.stop()
