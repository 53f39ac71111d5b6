/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include <adit/adit.h>

ADIT_PLUGIN_DEFINE(ipv6cp, .name = "ipv6cp", .version = ADIT_VERSION, .summary = "");
