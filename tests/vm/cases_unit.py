# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed adit.service, started, reloaded and stopped by a real systemd, which is process 1 of the machine."""

import grp
import json
import os
import pwd
import re
import shutil
import subprocess

import configs
import lab as labs
from lab import expect, poll
from runner import case

SERVER, CLIENT, INSIDE = '192.0.2.1', '192.0.2.2', '10.64.0.1'
PASSWORDS = {'alice': 'wonder-land', 'carol': 'a b c'}
NET_ADMIN = 1 << 12
DROP_IN = '/run/systemd/system/adit.service.d/strict.conf'
# A call that the unit's filter refuses now kills the daemon, but this one, which has nothing left to do.
STRICT = '[Service]\nSystemCallErrorNumber=kill\nSystemCallFilter=capset\n'
WARNING = 4
# What the case provokes (a reload that is refused), and that emulation is slow.
EXPECTED = re.compile(r'people\.yaml: Permission denied|configuration is wrong: nothing has changed|Control process exited, code=exited, status=1|'
                      r'Reload failed for adit.service|held the main loop')
REFUSED = re.compile(r'not permitted|denied|seccomp|SIGSYS|bad system call|read-only file system|not supported|mode is different|failed', re.I)


class Machine(labs.Namespace):
    """The machine's own network namespace, in which its services run."""

    def __init__(self, lab):
        self.lab, self.role, self.name = lab, 'machine', '1'  # what `ip link ... netns` takes: a process in it

    def command(self, *args):
        return [str(a) for a in args]


class Unit(labs.Adit):
    """The daemon as systemd runs it."""

    def __init__(self, lab, machine):
        self.lab, self.namespace, self.name, self.socket = lab, machine, 'adit.service', '/run/adit/adit.sock'

    def systemctl(self, *verb, check=True):
        return self.namespace.run('systemctl', *verb, 'adit', check=check, deadline=30)

    def show(self, *names):
        lines = self.namespace.run('systemctl', 'show', '-p', ','.join(names), 'adit').stdout.splitlines()
        values = dict(line.split('=', 1) for line in lines)
        return tuple(values[name] for name in names)

    def journal(self):
        """Pairs of priority (RFC 5424) and text: the daemon's lines, aditctl's and systemd's about the unit."""
        self.namespace.run('journalctl', '--sync')
        entries = map(json.loads, self.namespace.run('journalctl', '-q', '-u', 'adit', '-o', 'json').stdout.splitlines())
        return [(int(entry['PRIORITY']), entry['MESSAGE']) for entry in entries]

    def start(self, *verb):
        """Returns when the daemon has said that it is ready; fails when it has said that it is not."""
        done = self.systemctl(*verb or ('start',), check=False)
        active, sub, pid = self.show('ActiveState', 'SubState', 'MainPID')
        if done.returncode != 0 or (active, sub) != ('active', 'running'):
            kernel = [line for line in self.namespace.run('dmesg').stdout.splitlines() if 'type=1326' in line]  # a system call that killed it
            raise labs.Failure('adit.service is %s/%s: %s %s' % (active, sub, self.journal()[-12:], kernel[-1:]))
        self.pid = int(pid)

    def stop(self):
        self.systemctl('stop')
        state = self.show('ActiveState')[0]
        expect(state == 'inactive', 'adit.service is %s: %s' % (state, self.journal()[-12:]))


def install(lab):
    """What `make install` leaves on the machine, and README's steps after it. Returns the path of the configuration."""
    shutil.copytree(lab.stage, '/', symlinks=True, dirs_exist_ok=True)
    subprocess.run(['systemd-sysusers'], check=True, capture_output=True)
    with open(labs.one(lab.stage, 'systemd/system/adit.service')) as f:
        config = re.search(r'^ExecStart=.* --config (\S+)$', f.read(), re.M).group(1)
    os.chmod('/dev/net/tun', 0o666)  # as udev's rule for it
    return config


def write(path, tree, group, mode=0o640):
    """As `install -m 640 -g adit`."""
    with open(path, 'w') as f:
        os.fchown(f.fileno(), 0, group)
        os.fchmod(f.fileno(), mode)
        f.write(configs.write(tree))


def expect_confined(unit, user):
    """Every thread is the user adit and has CAP_NET_ADMIN only, no new privileges, and a system-call filter."""
    for thread in os.listdir('/proc/%d/task' % unit.pid):
        with open('/proc/%d/task/%s/status' % (unit.pid, thread)) as f:
            facts = dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
        expect(facts['Uid'].split() == [str(user.pw_uid)] * 4 and facts['Gid'].split() == [str(user.pw_gid)] * 4, 'runs as %s' % facts['Uid'])
        for name in ('CapEff', 'CapPrm', 'CapBnd'):
            expect(int(facts[name], 16) == NET_ADMIN, '%s is %s' % (name, facts[name]))
        expect((int(facts['CapAmb'], 16), facts['NoNewPrivs'], facts['Seccomp']) == (0, '1', '2'), 'thread %s: %s' % (facts['Name'], facts))
    state = os.stat('/var/lib/adit')
    expect((state.st_uid, state.st_mode & 0o777) == (user.pw_uid, 0o700), 'the state directory is of uid %d, mode %o' % (state.st_uid, state.st_mode))


@case(limit=120)
def unit_is_run_by_systemd(lab):
    machine, cli = Machine(lab), lab.namespace('cli')
    lab.wire(machine, 'outside', cli, 'wire')  # other cases make a `wire` from here
    machine.address('outside', SERVER + '/24')
    cli.address('wire', CLIENT + '/24')
    machine.capture('outside', 'udp', sources=[SERVER, CLIENT])

    config = install(lab)
    user, group = pwd.getpwnam('adit'), grp.getgrnam('adit').gr_gid
    tree = configs.server(PASSWORDS, address=SERVER)
    secrets, people = tree.pop('secrets'), os.path.join(os.path.dirname(config), 'conf.d', 'people.yaml')
    write(config, tree, group)
    write(people, {'secrets': secrets[:1]}, group)

    unit = Unit(lab, machine)
    unit.start('enable', '--now')
    expect_confined(unit, user)
    client = lab.adit(cli, configs.write(configs.client('alice', PASSWORDS['alice'])))
    session = unit.session('alice', 30)
    cli.expect_ping(INSIDE, 'client to server')
    machine.expect_ping(session['remote-address'], 'server to client')
    shown = machine.run(lab.aditctl.removeprefix(lab.stage), 'show', 'sessions', '--json')
    expect([s['user'] for s in json.loads(shown.stdout)['sessions']] == ['alice'], 'aditctl show sessions: %s' % shown.stdout)

    # A file that only root may read is refused whole, and told; what was in force stays. Once the group may read it, it counts.
    write(people, {'secrets': secrets}, group, 0o600)
    expect(unit.systemctl('reload', check=False).returncode != 0, 'a reload of what the daemon may not read is said to have worked')
    write(people, {'secrets': secrets}, group)
    unit.systemctl('reload')
    expect((int(unit.show('MainPID')[0]), [s['id'] for s in unit.sessions()]) == (unit.pid, [session['id']]), 'the reload has cost the session')
    both = configs.client('alice', PASSWORDS['alice'])
    both['l2tp']['clients'] += configs.client('carol', PASSWORDS['carol'], name='second')['l2tp']['clients']
    client.reload(configs.write(both))
    unit.session('carol', 30)
    expect(len(machine.tunnels()) == 2, 'interfaces: %s' % machine.tunnels())

    unit.stop()
    poll(lambda: not client.sessions(), 'the client was told', 10)
    expect(not machine.tunnels(), 'left: %s' % machine.tunnels())
    expect(not os.path.exists('/run/adit'), '/run/adit is left')
    lines = unit.journal()
    told = [text for priority, text in lines if priority <= WARNING or REFUSED.search(text)]
    expect('adit.service: Deactivated successfully.' in [text for _, text in lines], 'the end: %s' % lines[-12:])
    expect(any(people in text and 'Permission denied' in text for text in told), 'nothing names the file: %s' % lines)
    told = [text for text in told if not EXPECTED.search(text)]
    expect(not told, 'the journal tells: %s' % told)

    os.makedirs(os.path.dirname(DROP_IN))
    with open(DROP_IN, 'w') as f:
        f.write(STRICT)
    machine.run('systemctl', 'daemon-reload')
    unit.start()
    unit.session('carol', 30)
    cli.expect_ping(INSIDE, 'through the daemon that a refused call would kill')
    unit.systemctl('reload')
    unit.stop()
    client.stop()
