# SPDX-License-Identifier: GPL-2.0-or-later
"""What was on the wire, judged by tshark: nothing malformed and no expert error in what adit sent.

A capture FILE.pcap may have a FILE.pcap.json beside it: {"sources": [addresses adit sends from], "ports": [UDP ports that are
L2TP beside 1701], "needs": [filters that must match something], "forbids": [filters that must match nothing]}. Without sources every packet
is judged."""

import concurrent.futures
import json
import os
import subprocess


def describe(path, sources=(), ports=(), needs=(), forbids=()):
    with open(path + '.json', 'w') as f:
        json.dump({'sources': list(sources), 'ports': sorted(set(ports) - {1701}), 'needs': list(needs), 'forbids': list(forbids)}, f)


def tshark(path, display_filter, extra=(), ports=()):
    # Thrift is recognized by its look, and random octets in a transfer of a test can look so.
    command = ['tshark', '-n', '--disable-protocol', 'thrift', '-r', path, '-Y', display_filter]
    for port in ports:
        command += ['-d', 'udp.port==%d,l2tp' % port]
    env = dict(os.environ, HOME='/nonexistent', XDG_CONFIG_HOME='/nonexistent')
    done = subprocess.run(command + list(extra), capture_output=True, text=True, env=env)
    # A capture that was cut off by a kill ends in the middle of a packet; what is before it counts.
    if done.returncode != 0 and 'cut short' not in done.stderr:
        raise RuntimeError('tshark on %s: %s' % (path, done.stderr.strip()))
    return done.stdout


def check(path):
    """The offending packets of one capture, as lines; empty when all is well."""
    about = {'sources': [], 'ports': [], 'needs': [], 'forbids': []}
    if os.path.exists(path + '.json'):
        with open(path + '.json') as f:
            about.update(json.load(f))
    # It does not restore the zeros that BCP leaves out of small frames (RFC 3518 3.3), such as those at the end of a TCP reset.
    wrong = '(_ws.malformed || _ws.expert.severity == error) && !(bcp_bpdu.flags.zeropad == 1 && _ws.expert.message contains "exceeds packet length")'
    if about['sources']:
        ours = ['%s.src == %s' % ('ipv6' if ':' in address else 'ip', address) for address in about['sources']]
        wrong += ' && (%s)' % ' || '.join(ours)
    fields = ['-T', 'fields', '-E', 'separator= ', '-e', 'frame.number', '-e', '_ws.col.Protocol', '-e', '_ws.col.Info', '-e', '_ws.expert.message']
    lines = tshark(path, wrong, fields, about['ports']).splitlines()
    lines += ['nothing is %s' % need for need in about['needs'] if not tshark(path, need, (), about['ports'])]
    return lines + ['%s: %s' % (bad, line) for bad in about['forbids'] for line in tshark(path, bad, (), about['ports']).splitlines()[:3]]


def check_all(paths):
    """Judges all captures, prints what is wrong; True when nothing is."""
    clean = True
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for path, lines in zip(paths, pool.map(check, paths)):
            if lines:
                clean = False
                print('tshark: %s: %d bad packets' % (os.path.basename(path), len(lines)))
                for line in lines[:5]:
                    print('    ' + line)
    print('tshark: %d captures, %s' % (len(paths), 'nothing malformed' if clean else 'NOT clean'))
    return clean
