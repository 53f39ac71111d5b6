# SPDX-License-Identifier: GPL-2.0-or-later
"""Bridged frames and BCP options as octets, from the figures of RFC 3518: a second implementation, which shares nothing with plugins/bcp.

Sections: 3.3 and appendix B Tinygram compression, 3.5 the B flag, 4.2 untagged and 4.3 tagged frames, 4.4 the addresses of
bridge control frames, 5.1 to 5.9 the options, appendix A the old BPDU. The LAN ID is in RFC 1638 4.2 and 5.5 only.

A frame is what a LAN carries without its checksum: from the destination address with IEEE 802.3, from the Frame Control octet
with the other MAC types."""

import dataclasses
import struct
import zlib

BCP, BRIDGED, OLD_BPDU = 0x8031, 0x0031, 0x0201  # the PPP protocols: sections 4, 4.1, appendix A
F, I, Z, B, PADS = 0x80, 0x40, 0x20, 0x10, 0x0f  # I is zero since RFC 2878
IEEE_802_3, IEEE_802_4, IEEE_802_5_OLD, FDDI_OLD, IEEE_802_5, FDDI = 1, 2, 3, 4, 11, 12
MAC_TYPES = (IEEE_802_3, IEEE_802_4, IEEE_802_5_OLD, FDDI_OLD, IEEE_802_5, FDDI)
MINIMUM, HEADER, FCS_SIZE = 60, 14, 4
CONTROL_ADDRESSES = tuple(bytes.fromhex('0180c20000' + last) for last in ('00', '01', '10', '20', '21'))
TPID, SNAP_TPID = b'\x81\x00', bytes.fromhex('aaaa030000008100')
LLC_BPDU = b'\x42\x42\x03'

BRIDGE_ID, LINE_ID, MAC_SUPPORT, TINYGRAM, LAN_ID, MAC_ADDRESS, SPANNING_TREE, TAGGED, INLINE, INDICATOR = range(1, 11)
ENABLED, DISABLED = 1, 2
STP_NULL, STP_802_1D, STP_802_1G, STP_IBM, STP_DEC = range(5)


class Malformed(ValueError):
    """The octets have not the form of the RFC."""


@dataclasses.dataclass(frozen=True)
class Bridged:
    frame: bytes
    mac_type: int = IEEE_802_3
    fcs: bytes | None = None
    control: bool = False  # B
    compressed: bool = False  # Z
    pads: int = 0
    lan_id: int | None = None

    def fcs_is_right(self):
        return self.fcs == lan_fcs(self.frame)


def lan_fcs(frame):
    """The checksum of IEEE 802.3 over the whole frame, with its padding, in the order of transmission."""
    return struct.pack('<I', zlib.crc32(frame))


def is_control(frame, mac_type=IEEE_802_3):
    """Section 4.4 lists the address."""
    at = 0 if mac_type == IEEE_802_3 else 1
    return frame[at:at + 6] in CONTROL_ADDRESSES


def may_be_control(frame, mac_type=IEEE_802_3):
    """The address is in one of the blocks that IEEE 802.1D reserves around those of the list."""
    at = 0 if mac_type == IEEE_802_3 else 1
    return frame[at:at + 5] == CONTROL_ADDRESSES[0][:5] and (frame[at + 5] & 0xf0) in (0x00, 0x10, 0x20)


def compress(frame):
    """Appendix B, transmitter: the frame without its trailing zeros; None if it may not be compressed."""
    if len(frame) != MINIMUM:
        return None
    end = len(frame)
    while end > HEADER and frame[end - 1] == 0:
        end -= 1
    return frame[:end]


def restore(frame):
    """Appendix B, receiver."""
    return frame + bytes(max(MINIMUM - len(frame), 0))


def encode(frame, mac_type=IEEE_802_3, fcs=None, tinygram=False, control=False, pads=0, lan_id=None):
    """The Information field of a frame of protocol 0x0031. `fcs` is four octets, or True for the right ones."""
    if not 0 <= pads <= PADS:
        raise Malformed('the pads do not fit into 4 bits')
    checksum = lan_fcs(frame) if fcs is True else fcs or b''
    flags = (F if checksum else 0) | (B if control else 0) | pads
    body = frame
    if tinygram and mac_type == IEEE_802_3:
        short = compress(frame)
        if short is not None:
            flags, body = flags | Z, short
    head = bytes([flags | (I if lan_id is not None else 0), mac_type])
    head += struct.pack('>I', lan_id) if lan_id is not None else b''
    head += b'' if mac_type == IEEE_802_3 else b'\0'  # the pad octet of section 4.2's second figure
    return head + body + checksum + bytes(pads)


def decode(payload, has_lan_id=False):
    """Reads an Information field; raises Malformed. With `has_lan_id` the I flag means what it did in RFC 1638."""
    if len(payload) < 2:
        raise Malformed('too short for flags and MAC type')
    flags, mac_type, at = payload[0], payload[1], 2
    if mac_type not in MAC_TYPES:
        raise Malformed('MAC type %d is reserved' % mac_type)
    lan_id = None
    if flags & I:
        if not has_lan_id:
            raise Malformed('the reserved bit is set')
        if len(payload) < at + 4:
            raise Malformed('too short for the LAN ID')
        lan_id, at = struct.unpack_from('>I', payload, at)[0], at + 4
    is_ethernet = mac_type == IEEE_802_3
    at += 0 if is_ethernet else 1
    end = len(payload) - (flags & PADS)
    fcs = None
    if flags & F:
        end -= FCS_SIZE
        fcs = payload[end:end + FCS_SIZE] if end >= at else None
    if end - at < (HEADER if is_ethernet else HEADER - 1):
        raise Malformed('too short for the addresses')
    frame = payload[at:end]
    compressed = bool(flags & Z) and is_ethernet
    return Bridged(restore(frame) if compressed else frame, mac_type, fcs, bool(flags & B), compressed, flags & PADS, lan_id)


def tag(frame, priority, canonical, vlan, mac_type=IEEE_802_3):
    """Section 4.3: the frame with a tag behind its source address."""
    at, tpid = (12, TPID) if mac_type == IEEE_802_3 else (13, SNAP_TPID)
    return frame[:at] + tpid + struct.pack('>H', priority << 13 | canonical << 12 | vlan) + frame[at:]


def tag_of(frame, mac_type=IEEE_802_3):
    """(priority, canonical flag, VLAN ID), or None for an untagged frame."""
    at, tpid = (12, TPID) if mac_type == IEEE_802_3 else (13, SNAP_TPID)
    if frame[at:at + len(tpid)] != tpid or len(frame) < at + len(tpid) + 2:
        return None
    tci = struct.unpack_from('>H', frame, at + len(tpid))[0]
    return tci >> 13, tci >> 12 & 1, tci & 0xfff


def inline_bpdu(bpdu, source):
    """Section 4.4: a BPDU in the frame of IEEE 802.1D, padded to the minimum of IEEE 802.3."""
    body = LLC_BPDU + bpdu
    return restore(CONTROL_ADDRESSES[0] + source + struct.pack('>H', len(body)) + body)


def bpdu_of(frame):
    """The BPDU in a frame, or None."""
    if frame[:6] != CONTROL_ADDRESSES[0] or frame[14:17] != LLC_BPDU:
        return None
    length = struct.unpack_from('>H', frame, 12)[0]
    if length < len(LLC_BPDU) or HEADER + length > len(frame):
        raise Malformed('the length of the BPDU is beyond its frame')
    return frame[17:HEADER + length]


def old_bpdu(bpdu):
    """Appendix A: a PPP frame from its protocol on, without any header of a LAN."""
    return struct.pack('>H', OLD_BPDU) + bpdu


def encode_option(kind, value=None):
    if kind in (BRIDGE_ID, LINE_ID):
        segment, bridge = value
        body = struct.pack('>H', segment << 4 | bridge)
    elif kind == MAC_SUPPORT:
        body = bytes([value])
    elif kind in (TINYGRAM, LAN_ID, TAGGED):
        body = bytes([ENABLED if value else DISABLED])
    elif kind == MAC_ADDRESS:
        body = value
    elif kind == SPANNING_TREE:
        body = bytes(value)
    elif kind in (INLINE, INDICATOR):
        body = b''
    else:
        raise Malformed('option %d is not of BCP' % kind)
    return bytes([kind, 2 + len(body)]) + body


def encode_options(options):
    return b''.join(encode_option(*option) for option in options)


SIZES = {BRIDGE_ID: 2, LINE_ID: 2, MAC_SUPPORT: 1, TINYGRAM: 1, LAN_ID: 1, MAC_ADDRESS: 6, TAGGED: 1, INLINE: 0, INDICATOR: 0}


def decode_option(kind, body):
    if kind in SIZES and len(body) != SIZES[kind]:
        raise Malformed('option %d has %d octets' % (kind, len(body)))
    if kind in (BRIDGE_ID, LINE_ID):
        number = struct.unpack('>H', body)[0]
        return number >> 4, number & 0xf
    if kind == MAC_SUPPORT:
        return body[0]
    if kind in (TINYGRAM, LAN_ID, TAGGED):
        if body[0] not in (ENABLED, DISABLED):
            raise Malformed('option %d is neither enabled nor disabled' % kind)
        return body[0] == ENABLED
    if kind == SPANNING_TREE:
        if list(body) != sorted(set(body)):
            raise Malformed('the spanning tree protocols do not increase')  # section 5.6
        return tuple(body)
    return body if kind not in (INLINE, INDICATOR) else None


def split_options(octets):
    """[(kind, octets of the value)], of whatever kind."""
    options, at = [], 0
    while at < len(octets):
        if at + 2 > len(octets) or octets[at + 1] < 2 or at + octets[at + 1] > len(octets):
            raise Malformed('an option does not fit')
        options.append((octets[at], octets[at + 2:at + octets[at + 1]]))
        at += octets[at + 1]
    return options


def decode_options(octets):
    """[(kind, value)]: as encode_options() takes them; the octets of an unknown kind."""
    return [(kind, decode_option(kind, body)) for kind, body in split_options(octets)]


def faults_of_request(octets):
    """The rules that a Configure-Request breaks."""
    kinds = [kind for kind, _ in decode_options(octets)]
    faults = ['Bridge- and Line-Identification together (5.1)'] if BRIDGE_ID in kinds and LINE_ID in kinds else []
    return faults + ['option %d twice' % kind for kind in sorted(set(kinds)) if kind != MAC_SUPPORT and kinds.count(kind) > 1]


def faults_of_nak(request, nak):
    """The rules that a Configure-Nak to that request breaks."""
    asked, faults = dict(decode_options(request)), []
    for kind, value in decode_options(nak):
        if kind == MAC_SUPPORT:
            faults.append('a Nak of MAC-Support (5.3)')
        elif kind in (TINYGRAM, LAN_ID) and kind in asked:
            faults.append('a Nak of an option %d that was requested (5.4, RFC 1638 5.5)' % kind)
        elif kind == MAC_ADDRESS and (value[0] & 1 or not any(value)):
            faults.append('a Nak with an address that no port can have (5.5)')
        elif kind == MAC_ADDRESS and any(asked.get(MAC_ADDRESS, bytes(6))):
            faults.append('a Nak of an address that was announced (5.5)')
    return faults


def faults_of_frame(bridged, options):
    """The rules that a frame breaks, to a peer whose Configure-Request with `options` was acknowledged."""
    asked, faults = dict(options), []
    if bridged.compressed and not asked.get(TINYGRAM):
        faults.append('compressed (5.4)')
    if tag_of(bridged.frame, bridged.mac_type) and not asked.get(TAGGED):
        faults.append('tagged (5.7)')
    if is_control(bridged.frame, bridged.mac_type) and INLINE not in asked:
        faults.append('a bridge control frame inline (5.8)')
    if bridged.control and INDICATOR not in asked:
        faults.append('the B flag (5.9)')
    if bridged.control and not may_be_control(bridged.frame, bridged.mac_type):
        faults.append('the B flag of a frame of a station (3.5)')
    if INDICATOR in asked and is_control(bridged.frame, bridged.mac_type) and not bridged.control:
        faults.append('no B flag of a bridge control frame (3.5)')
    if bridged.mac_type > FDDI_OLD and (MAC_SUPPORT, bridged.mac_type) not in options:
        faults.append('a MAC type that was not announced (4.2)')
    if bridged.fcs is not None and not bridged.fcs_is_right():
        faults.append('a wrong LAN FCS (3.1)')
    return faults
