#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ethernet frames on an interface, as they are.

  ether.py listen INTERFACE          prints each frame that comes in, in hex, a line each; the first line is `listening`
  ether.py send INTERFACE HEX..."""

import socket
import struct
import sys

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, VALID_TAG, VALID_TPID = 3, 263, 8, 4, 1 << 4, 1 << 6


def with_tag(frame, extra):
    """The kernel takes the outer VLAN tag off and tells it beside the frame."""
    for level, kind, data in extra:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack('=IIIHHHH', data[:20])
            if status & VALID_TAG:
                return frame[:12] + struct.pack('!HH', tpid if status & VALID_TPID else 0x8100, tci) + frame[12:]
    return frame


def main():
    what, interface, *frames = sys.argv[1:]
    packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL if what == 'listen' else 0))
    if what == 'send':
        packet.bind((interface, 0))
        for frame in frames:
            packet.send(bytes.fromhex(frame))
        return
    packet.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    packet.bind((interface, ETH_P_ALL))
    print('listening', flush=True)
    while True:
        frame, extra, _, sender = packet.recvmsg(65536, 1024)
        if sender[2] != PACKET_OUTGOING:
            print(with_tag(frame, extra).hex(), flush=True)


if __name__ == '__main__':
    main()
