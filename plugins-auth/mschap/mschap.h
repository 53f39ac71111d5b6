/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mschap.h - MS-CHAPv1 (RFC 2433) and MS-CHAPv2 (RFC 2759), as methods. */
#pragma once

#include <adit/chap.h>

extern const AditAuthMethod mschap1_method, mschap2_method;
