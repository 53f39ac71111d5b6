/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** chap.h - CHAP with MD5 (RFC 1994), as a method. */
#pragma once

#include <adit/chap.h>

extern const AditAuthMethod chap_method;
